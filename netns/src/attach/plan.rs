//! What is asked for, checked before anything is made.

use crate::mac::Mac;
use crate::name::Name;
use crate::netlink::{Route, links};
use crate::network::Network;
use crate::network::guard::Confinement;
use crate::published::{self, Published};
use crate::rate::Rate;
use chain::text::show;
use chain::{Error, Result};
use std::net::IpAddr;

/// The lowest number of a host: 1 is the bridge.
pub const FIRST_HOST: u32 = 2;

/// A host of a network to be.
#[derive(Debug)]
pub struct Plan {
    /// The network.
    pub network: Network,
    /// What the others call it.
    pub name: Option<Name>,
    /// Its number, when it is to be a certain one.
    pub number: Option<u32>,
    /// Its Ethernet address, when it is to be a certain one.
    pub mac: Option<Mac>,
    /// Its largest packet, in bytes, when it is not that of the network.
    pub mtu: Option<u32>,
    /// How much it may get.
    pub down: Option<Rate>,
    /// How much it may send.
    pub up: Option<Rate>,
    /// Its published ports, those that rules lead.
    pub ports: Vec<Published>,
    /// Those that a process leads.
    pub proxied: Vec<Published>,
    /// The servers that resolve names for it, instead of those of this host.
    pub dns: Vec<IpAddr>,
    /// What it may not do, besides what no host of the network may.
    pub confinement: Confinement,
    /// The firewalls of others are to let the network through.
    pub opens_firewall: bool,
}

impl Plan {
    /// All published ports.
    pub fn all_ports(&self) -> impl Iterator<Item = &Published> {
        self.ports.iter().chain(&self.proxied)
    }

    /// It has no way out.
    pub fn is_internal(&self) -> bool {
        self.network.label.is_internal || self.confinement.is_internal
    }

    /// Refuses what the network cannot do.
    pub fn check(&self) -> Result<()> {
        let name = &self.network.name;
        for port in self.all_ports() {
            let what = || format!("publish {port}");
            if port.address.is_ipv6() && !port.is_proxied && self.network.label.v6.is_none() {
                return Err(Error::new(what(), format_args!("the network {name} has no IPv6")));
            }
            if self.is_internal() && !port.address.is_loopback() {
                let why = match self.network.label.is_internal {
                    true => format!("the network {name} is internal"),
                    false => "it is to be --internal".to_owned(),
                };
                return Err(Error::new(what(), why).hint("its ports can be published on 127.0.0.1 only"));
            }
        }
        published::check(self.all_ports())?;
        self.mtu.map_or(Ok(()), |mtu| match mtu > self.network.mtu {
            true => Err(Error::new(
                format_args!("use packets of {mtu} bytes"),
                format_args!("the network {name} takes {} at most", self.network.mtu),
            )),
            false => Ok(()),
        })
    }
}

/// Whether there is a host with this address.
pub fn is_there(route: &mut Route, network: &Network, ip: IpAddr) -> Result<bool> {
    match number_of(network, ip) {
        Ok(number) => Ok(links::look(route, &network.port(number)?)?.is_some()),
        Err(_) => Ok(false),
    }
}

/// The number of the host with this address.
pub fn number_of(network: &Network, ip: IpAddr) -> Result<u32> {
    let what = || format!("use the address {}", show(ip.to_string()));
    let subnet = network.label.subnets().find(|subnet| subnet.contains(ip)).ok_or_else(|| {
        let subnets: Vec<String> = network.label.subnets().map(|subnet| subnet.to_string()).collect();
        Error::new(what(), format_args!("the network {} is {}", network.name, subnets.join(" and ")))
    })?;
    let number = match (ip, subnet.ip) {
        (IpAddr::V4(ip), IpAddr::V4(first)) => u128::from(u32::from(ip) - u32::from(first)),
        (IpAddr::V6(ip), IpAddr::V6(first)) => u128::from(ip) - u128::from(first),
        _ => 0,
    };
    let last = network.last_host();
    let number = u32::try_from(number).ok().filter(|number| (FIRST_HOST..=last).contains(number));
    number.ok_or_else(|| {
        let ends =
            [FIRST_HOST, last].map(|n| subnet.nth(n).map_or_else(String::new, |cidr| cidr.ip.to_string()));
        Error::new(what(), format_args!("hosts have those from {} to {}", ends[0], ends[1]))
    })
}
