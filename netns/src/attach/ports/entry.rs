//! A published port as an element of a map, put together and taken apart.

use crate::nft::elements::{self, Element, address, field};
use crate::nft::{INET, Nft};
use crate::published::{Protocol, Published};
use chain::Result;
use chain::text::escape;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What fits into the 127 bytes that nft takes for a comment.
const LONGEST_COMMENT: usize = 127;

/// The maps, and whether their keys begin with an address, of 4 or 16 bytes.
pub const MAPS: [(&str, usize, bool); 4] =
    [("pub4", 4, false), ("pub6", 16, false), ("pub4a", 4, true), ("pub6a", 16, true)];

/// The map for ports of an address.
pub fn map(at: IpAddr) -> &'static str {
    let length = if at.is_ipv4() { 4 } else { 16 };
    let wanted = |row: &&(&str, usize, bool)| row.1 == length && row.2 != at.is_unspecified();
    MAPS.iter().find(wanted).map_or(MAPS[0].0, |row| row.0)
}

/// What a port is called in a map.
pub fn key(at: IpAddr, protocol: Protocol, port: u16) -> Vec<u8> {
    let at = if at.is_unspecified() { Vec::new() } else { address(at) };
    [at, field(&[protocol.number()]), field(&port.to_be_bytes())].concat()
}

/// An element of a map, taken apart.
#[derive(Debug)]
pub struct Entry {
    /// The map that it is in.
    pub map: &'static str,
    /// The whole of it.
    pub element: Element,
    /// The address of this host; all of its family when unspecified.
    pub at: IpAddr,
    /// The number of what is carried.
    pub protocol: u8,
    /// The port of this host.
    pub port: u16,
}

impl Entry {
    fn read(map: &'static str, length: usize, has_address: bool, element: Element) -> Option<Self> {
        let (at, rest) = match has_address {
            true => (ip(element.key.get(..length)?)?, element.key.get(length..)?),
            false if length == 4 => (Ipv4Addr::UNSPECIFIED.into(), element.key.as_slice()),
            false => (Ipv6Addr::UNSPECIFIED.into(), element.key.as_slice()),
        };
        let [protocol, _, _, _, high, low, ..] = *rest else { return None };
        Some(Entry { map, at, protocol, port: u16::from_be_bytes([high, low]), element })
    }

    /// As nft(8) reads it.
    pub fn text(&self) -> Option<String> {
        let length = if self.at.is_ipv4() { 4 } else { 16 };
        let [high, low, ..] = *self.element.value.get(length..)? else { return None };
        let at = if self.at.is_unspecified() { String::new() } else { format!("{} . ", self.at) };
        let comment = escape(&self.element.comment).replace('"', "'");
        let (to, inside) = (self.to()?, u16::from_be_bytes([high, low]));
        Some(format!("{at}{} . {} comment \"{comment}\" : {to} . {inside}", self.protocol, self.port))
    }

    /// The address that it leads to.
    pub fn to(&self) -> Option<IpAddr> {
        ip(self.element.value.get(..if self.at.is_ipv4() { 4 } else { 16 })?)
    }

    /// Whether it leads to one of these addresses.
    pub fn leads_to(&self, addresses: &[IpAddr]) -> bool {
        self.to().is_some_and(|to| addresses.contains(&to))
    }

    /// Whether a packet can be meant for both.
    pub fn clashes_with(&self, port: &Published) -> bool {
        self.protocol == port.protocol.number() && !port.is_apart_from(self.at, port.protocol, self.port)
    }
}

/// The elements for a port or a range, which lead to that of the addresses which is of the same family.
pub fn entries(port: &Published, name: Option<&str>, addresses: &[IpAddr]) -> impl Iterator<Item = Entry> {
    let to = addresses.iter().copied().find(|ip| ip.is_ipv4() == port.address.is_ipv4());
    let comment: String = name.unwrap_or("a host").chars().take(LONGEST_COMMENT).collect();
    let (at, protocol) = (port.address, port.protocol);
    let entry = move |(host, inside): (u16, u16)| {
        let value = [address(to?), field(&inside.to_be_bytes())].concat();
        let element = Element { key: key(at, protocol, host), value, comment: comment.clone() };
        Some(Entry { map: map(at), element, at, protocol: protocol.number(), port: host })
    };
    port.pairs().filter_map(entry)
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// All ports of a table.
pub fn list(nft: &mut Nft, table: &str) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    for (map, length, has_address) in MAPS {
        let found =
            elements::list(nft, INET, table, map).map_err(|refusal| refusal.of("list published ports"))?;
        all.extend(found.into_iter().filter_map(|element| Entry::read(map, length, has_address, element)));
    }
    Ok(all)
}
