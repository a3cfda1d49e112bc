//! The ports of a namespace that lead to another: maps and rules of nftables that change where packets go.

use super::reading::{self, Reading};
use crate::netlink::socket::Refusal;
use crate::netlink::sockets::Protocol;
use crate::nft::Nft;
use crate::nft::elements::{self, Element};
use crate::nft::ruleset::{Rule, Set};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A port that leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Published {
    /// What is spoken.
    pub protocol: Protocol,
    /// The address that packets come to; none for every address.
    pub address: Option<IpAddr>,
    /// The port that they come to.
    pub port: u16,
    /// Where they go.
    pub to: SocketAddr,
    /// The text that was put on it.
    pub comment: Option<String>,
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:")?,
            Some(ip) => write!(f, "{ip}:")?,
            None => {}
        }
        write!(f, "{}/{} -> {}", self.port, self.protocol, self.to)
    }
}

/// Parts of keys and values in the numbers of nft: `enum datatypes` of its datatype.h.
const IPV4: u32 = 7;
const IPV6: u32 = 8;
const PROTOCOL: u32 = 12;
const PORT: u32 = 13;

/// All, sorted.
pub fn list(nft: &mut Nft) -> Result<Vec<Published>, Refusal> {
    let mut all = Vec::new();
    for set in nft.sets()?.iter().filter(|set| leads_elsewhere(set)) {
        let found = elements::list(nft, set.family, &set.table, &set.name)?;
        all.extend(found.iter().filter_map(|element| of_element(set, element)));
    }
    all.extend(nft.rules()?.iter().filter_map(of_rule));
    all.sort();
    all.dedup();
    Ok(all)
}

/// A rule for one port, as container engines write them.
fn of_rule(rule: &Rule) -> Option<Published> {
    let Reading { protocol, address, port, to, .. } = reading::read(rule);
    Some(Published { protocol: protocol?, address, port: port?, to: to?, comment: None })
}

fn leads_elsewhere(set: &Set) -> bool {
    matches!(parts(set.data_type).as_slice(), [IPV4 | IPV6, PORT])
        && parts(set.key_type).contains(&PROTOCOL)
        && parts(set.key_type).contains(&PORT)
}

fn parts(mut kinds: u32) -> Vec<u32> {
    let mut parts = Vec::new();
    while kinds != 0 {
        parts.insert(0, kinds & 63);
        kinds >>= 6;
    }
    parts
}

fn of_element(set: &Set, element: &Element) -> Option<Published> {
    let key = values(set.key_type, &element.key)?;
    let to = values(set.data_type, &element.value)?;
    let (ip, port) = (to.address?, to.port?);
    Some(Published {
        protocol: Protocol::of(key.protocol?)?,
        address: key.address,
        port: key.port?,
        to: SocketAddr::new(ip, port),
        comment: Some(element.comment.clone()).filter(|comment| !comment.is_empty()),
    })
}

#[derive(Default)]
struct Values {
    address: Option<IpAddr>,
    protocol: Option<u8>,
    port: Option<u16>,
}

/// Takes a key or a value apart; each part fills whole words of four bytes.
fn values(kinds: u32, mut bytes: &[u8]) -> Option<Values> {
    let mut values = Values::default();
    for kind in parts(kinds) {
        match kind {
            IPV4 => values.address = Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(..4)?).ok()?).into()),
            IPV6 => {
                values.address = Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(..16)?).ok()?).into());
            }
            PROTOCOL => values.protocol = bytes.first().copied(),
            PORT => values.port = Some(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?)),
            _ => return None,
        }
        bytes = bytes.get(if kind == IPV6 { 16 } else { 4 }..)?;
    }
    Some(values)
}
