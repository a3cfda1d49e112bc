//! Networks: a bridge with addresses, one table of nftables, and nothing else. What a network is stands in the
//! bridge's name and alias, so the kernel is all that has to be asked.
//!
//! | module | what it holds |
//! |---|---|
//! | [`label`] | what is written on the bridge |
//! | [`subnets`] | subnets that nobody uses |
//! | [`rules`] | the table of nftables |
//! | [`guard`] | hosts that may do less than the others, and the table for them |
//! | [`forwarding`], [`switch`] | the switches of the kernel that let packets through |
//! | [`make`], [`removal`] | networks made and repaired, and removed |
//! | [`turn`] | one process at a time that does so |
//! | [`remains`] | what killed ones have left |

pub mod forwarding;
pub mod guard;
pub mod label;
pub mod make;
pub mod remains;
pub mod removal;
pub mod rules;
pub mod subnets;
pub mod switch;
pub mod turn;

use crate::cidr::Cidr;
use crate::interface::Interface;
use crate::netlink::Route;
use crate::netlink::links::{self, Link};
use chain::text::is_name;
use chain::{Error, Result};
use label::Label;
use std::fmt;
use std::str::FromStr;

/// What the bridge of a network is called: this, and the name of the network.
const PREFIX: &str = "nb-";
/// With the prefix it is as long as the name of an interface can be.
const LONGEST: usize = 12;

/// What a network may be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetName(String);

impl NetName {
    /// How the names of the tables begin.
    pub const TABLE: &str = "netns-";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// That of the network which a bridge may be for.
    pub fn of(link: &Link) -> Option<Self> {
        link.name.strip_prefix(PREFIX).filter(|_| link.kind == "bridge")?.parse().ok()
    }

    /// Its bridge.
    pub fn bridge(&self) -> Result<Interface> {
        let name = format!("{PREFIX}{}", self.0);
        name.parse().map_err(|why| Error::new(format_args!("use the network {self}"), why))
    }

    /// Its table in nftables, of the family `inet`.
    pub fn table(&self) -> String {
        format!("{}{}", Self::TABLE, self.0)
    }
}

impl FromStr for NetName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            _ if !is_name(text) => {
                Err("a name is made of letters, digits, _ . and -, and begins with a letter or a digit")
            }
            _ if text.len() > LONGEST => Err("the name of a network has at most 12 characters"),
            _ => Ok(NetName(text.to_owned())),
        }
    }
}

impl fmt::Display for NetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A network that is there.
#[derive(Debug, Clone)]
pub struct Network {
    /// Its name.
    pub name: NetName,
    /// The number of its bridge.
    pub index: u32,
    /// The largest packet of its bridge, in bytes.
    pub mtu: u32,
    /// What else it is.
    pub label: Label,
}

impl Network {
    /// The network that an interface is the bridge of.
    pub fn of(link: &Link) -> Option<Self> {
        let label = Label::read(link.alias.as_deref()?)?;
        Some(Network { name: NetName::of(link)?, index: link.index, mtu: link.mtu, label })
    }

    /// The networks of the connection's namespace, sorted.
    pub fn list(route: &mut Route) -> Result<Vec<Self>> {
        Ok(Network::among(&links::list(route)?))
    }

    /// The networks among interfaces, sorted; without those that are half made or half removed.
    pub fn among(links: &[Link]) -> Vec<Self> {
        let mut networks = Network::all_among(links);
        networks.retain(|network| !network.label.is_half);
        networks.sort_by(|a, b| a.name.cmp(&b.name));
        networks
    }

    /// All of them.
    pub fn all_among(links: &[Link]) -> Vec<Self> {
        links.iter().filter_map(Network::of).collect()
    }

    /// The network of this name.
    pub fn find(route: &mut Route, name: &NetName) -> Result<Self> {
        let what = format_args!("find the network {name}");
        match links::look(route, &name.bridge()?)? {
            None => {
                Err(Error::new(what, "no such network").hint(format_args!("`netns net add {name}` makes it")))
            }
            Some(link) => Network::of(&link).filter(|network| !network.label.is_half).ok_or_else(|| {
                Error::new(what, format_args!("the interface {} is none of netns, or half made", link.name))
                    .hint(format_args!("`netns net rm {name}` removes a half-made one"))
            }),
        }
    }

    /// The name of the interface at the bridge of host number `n`.
    ///
    /// The number of the bridge is its own for as long as it lives, and so the name is taken exactly while the
    /// address is: the kernel, which has each name once, hands out the addresses.
    pub fn port(&self, n: u32) -> Result<Interface> {
        let name = format!("{}{n:x}", self.port_prefix());
        name.parse().map_err(|why| Error::new(format_args!("use the name {name}"), why))
    }

    /// How the names of all interfaces at the bridge begin.
    pub fn port_prefix(&self) -> String {
        format!("nv{}-", self.index)
    }

    /// The number of the host that an interface at the bridge is for.
    pub fn host_number(&self, port: &str) -> Option<u32> {
        u32::from_str_radix(port.strip_prefix(&self.port_prefix())?, 16).ok()
    }

    /// The highest number of a host. Four digits are what the name of an interface has room for.
    pub fn last_host(&self) -> u32 {
        let bits = 32 - u32::from(self.label.v4.prefix);
        1_u32.checked_shl(bits.min(16)).unwrap_or(u32::MAX) - 2
    }

    /// The addresses of a host: of IPv4 and, where the network has it, of IPv6.
    pub fn addresses(&self, n: u32) -> impl Iterator<Item = Cidr> + '_ {
        self.label.subnets().filter_map(move |subnet| subnet.nth(n))
    }
}
