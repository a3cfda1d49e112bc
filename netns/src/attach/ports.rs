//! Published ports: elements of the maps of a network's table.

use super::plan::{Plan, number_of};
use crate::netlink::Route;
use crate::netlink::links::{self, Link};
use crate::network::label::PortLabel;
use crate::network::{NetName, Network};
use crate::nft::elements::{self, Element, address, field};
use crate::nft::{Nft, flows};
use crate::published::{Protocol, Published};
use chain::error::say;
use chain::{Error, Result};
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What fits into the 127 bytes that nft takes for a comment.
const LONGEST_COMMENT: usize = 127;

/// The maps, and whether their keys begin with an address, of 4 or 16 bytes.
const MAPS: [(&str, usize, bool); 4] =
    [("pub4", 4, false), ("pub6", 16, false), ("pub4a", 4, true), ("pub6a", 16, true)];

fn map(at: IpAddr) -> &'static str {
    let length = if at.is_ipv4() { 4 } else { 16 };
    let wanted = |row: &&(&str, usize, bool)| row.1 == length && row.2 != at.is_unspecified();
    MAPS.iter().find(wanted).map_or(MAPS[0].0, |row| row.0)
}

/// What a port is called in a map.
fn key(at: IpAddr, protocol: Protocol, port: u16) -> Vec<u8> {
    let at = if at.is_unspecified() { Vec::new() } else { address(at) };
    [at, field(&[protocol.number()]), field(&port.to_be_bytes())].concat()
}

/// An element of a map, taken apart.
#[derive(Debug)]
struct Entry {
    map: &'static str,
    element: Element,
    at: IpAddr,
    protocol: u8,
    port: u16,
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

    fn leads_to(&self, addresses: &[IpAddr]) -> bool {
        addresses
            .iter()
            .any(|ip| self.element.value.starts_with(&address(*ip)) && self.at.is_ipv4() == ip.is_ipv4())
    }

    fn clashes_with(&self, port: &Published) -> bool {
        self.protocol == port.protocol.number() && !port.is_apart_from(self.at, port.protocol, self.port)
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn list(nft: &mut Nft, table: &str) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    for (map, length, has_address) in MAPS {
        let found = elements::list(nft, table, map).map_err(|refusal| refusal.of("list published ports"))?;
        all.extend(found.into_iter().filter_map(|element| Entry::read(map, length, has_address, element)));
    }
    Ok(all)
}

/// Refuses ports that another host or a program of this host has already. Those of hosts that are gone are freed.
pub fn check(route: &mut Route, nft: &mut Nft, plan: &Plan) -> Result<()> {
    if plan.all_ports().next().is_none() {
        return Ok(());
    }
    for table in nft.tables().map_err(|refusal| refusal.of("list tables"))? {
        let Some(name) = table.strip_prefix(NetName::TABLE) else { continue };
        let Ok(name) = name.parse::<NetName>() else { continue };
        for entry in list(nft, &table)? {
            let Some(port) = plan.all_ports().find(|port| entry.clashes_with(port)) else { continue };
            if is_there(route, &name, &entry)? {
                return Err(published_already(port, &entry, &name));
            }
            remove(nft, &table, &[entry])?;
        }
    }
    plan.ports
        .iter()
        .find_map(|port| port.in_use().map(|(number, e)| taken(port, number, &e)))
        .map_or(Ok(()), Err)
}

/// Whether the host that it leads to still has its interface.
fn is_there(route: &mut Route, name: &NetName, entry: &Entry) -> Result<bool> {
    let length = if entry.at.is_ipv4() { 4 } else { 16 };
    let (Ok(network), Some(to)) =
        (Network::find(route, name), entry.element.value.get(..length).and_then(ip))
    else {
        return Ok(false);
    };
    match number_of(&network, to) {
        Ok(number) => Ok(links::look(route, &network.port(number)?)?.is_some()),
        Err(_) => Ok(false),
    }
}

fn published_already(port: &Published, entry: &Entry, network: &NetName) -> Error {
    let (number, protocol) = (entry.port, port.protocol);
    let of = &entry.element.comment;
    Error::new(
        format_args!("publish {port}"),
        format_args!("{number}/{protocol} is published already, for {of} of the network {network}"),
    )
    .hint("`netns gc` frees the ports of hosts that are gone")
}

/// Why a port of this host cannot be had.
pub fn taken(port: &Published, number: u16, e: &io::Error) -> Error {
    let what = format!("publish {port}");
    match e.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::new(what, format_args!("port {number} is one of those that only root may have"))
                .hint("choose a higher one, or as root: sysctl -w net.ipv4.ip_unprivileged_port_start=N")
        }
        io::ErrorKind::AddrInUse => Error::new(
            what,
            format_args!("a program of this host listens on {number}/{} already", port.protocol),
        )
        .hint("published, the port would be hidden from it: choose another, or end that program"),
        io::ErrorKind::AddrNotAvailable => {
            Error::new(what, format_args!("{} is no address of this host", port.address))
        }
        _ => Error::os(what, Errno::from_raw(e.raw_os_error().unwrap_or_default())),
    }
}

/// Publishes ports of a host. After a refusal some may be published: [`purge`] takes them back.
pub fn publish(
    nft: &mut Nft,
    network: &NetName,
    name: Option<&str>,
    ports: &[Published],
    addresses: &[IpAddr],
) -> Result<()> {
    let table = network.table();
    let comment: String = name.unwrap_or("a host").chars().take(LONGEST_COMMENT).collect();
    let mut changes = Vec::new();
    for port in ports {
        let Some(to) = addresses.iter().find(|ip| ip.is_ipv4() == port.address.is_ipv4()) else { continue };
        let element = |(host, inside): (u16, u16)| Element {
            key: key(port.address, port.protocol, host),
            value: [address(*to), field(&inside.to_be_bytes())].concat(),
            comment: comment.clone(),
        };
        let all: Vec<Element> = port.pairs().map(element).collect();
        changes.extend(elements::add(&table, map(port.address), &all));
    }
    let added = changes.into_iter().try_for_each(|change| nft.transact(vec![change]));
    added.map_err(|refusal| {
        let gone = refusal.errno == Errno::ENOENT;
        let e = refusal.of("publish the ports");
        if gone {
            e.hint(format_args!("the rules of the network are gone: `netns net repair {network}`"))
        } else {
            e
        }
    })?;
    let udp = ports.iter().filter(|port| port.protocol == Protocol::Udp);
    forget(nft, &udp.flat_map(|port| port.pairs()).map(|(host, _)| host).collect())
}

/// The ports of a network, to be [put back](restore) when its table is loaded again.
#[derive(Debug)]
pub struct Saved(Vec<Entry>);

/// Reads all ports of a network.
pub fn save(nft: &mut Nft, network: &NetName) -> Result<Saved> {
    list(nft, &network.table()).map(Saved)
}

/// Puts ports back into an empty table: those saved or, when none are, those that the labels of the hosts name.
pub fn restore(nft: &mut Nft, network: &Network, saved: &Saved, links: &[Link]) -> Result<()> {
    if saved.0.is_empty() {
        return links.iter().try_for_each(|link| restore_labelled(nft, network, link));
    }
    let mut changes = Vec::new();
    for (map, ..) in MAPS {
        let of_map = saved.0.iter().filter(|entry| entry.map == map);
        let elements: Vec<Element> = of_map.map(|entry| entry.element.clone()).collect();
        changes.extend(elements::add(&network.name.table(), map, &elements));
    }
    let added = changes.into_iter().try_for_each(|change| nft.transact(vec![change]));
    added.map_err(|refusal| refusal.of("put back published ports"))
}

fn restore_labelled(nft: &mut Nft, network: &Network, link: &Link) -> Result<()> {
    let label = link.alias.as_deref().and_then(PortLabel::read);
    let (Some(number), Some(label)) = (network.host_number(&link.name), label) else { return Ok(()) };
    let addresses = super::bare(network.addresses(number));
    let ports: Vec<Published> = label.ports.iter().filter_map(|port| port.parse().ok()).collect();
    if ports.len() < label.ports.len() {
        let name = label.name.as_deref().unwrap_or(&link.name);
        say(&format!(
            "warning: {name} has more published ports than are known: start it again to have them all"
        ));
    }
    let by_rules: Vec<Published> = ports.into_iter().filter(|port| !port.is_proxied).collect();
    publish(nft, &network.name, label.name.as_deref(), &by_rules, &addresses)
}

/// Removes all ports that lead to these addresses.
pub fn purge(nft: &mut Nft, network: &Network, addresses: &[IpAddr]) -> Result<()> {
    purge_if(nft, network, |entry| entry.leads_to(addresses))
}

/// Removes all ports that lead to none of these addresses: what killed processes have left.
pub fn purge_except(nft: &mut Nft, network: &Network, addresses: &[IpAddr]) -> Result<()> {
    purge_if(nft, network, |entry| !entry.leads_to(addresses))
}

fn purge_if(nft: &mut Nft, network: &Network, is_gone: impl Fn(&Entry) -> bool) -> Result<()> {
    let table = network.name.table();
    let gone: Vec<Entry> = list(nft, &table)?.into_iter().filter(is_gone).collect();
    remove(nft, &table, &gone)
}

fn remove(nft: &mut Nft, table: &str, gone: &[Entry]) -> Result<()> {
    let mut changes = Vec::new();
    for (map, ..) in MAPS {
        let elements: Vec<Element> =
            gone.iter().filter(|entry| entry.map == map).map(|entry| entry.element.clone()).collect();
        changes.extend(elements::remove(table, map, &elements));
    }
    for change in changes {
        match nft.transact(vec![change]) {
            // Another one did it meanwhile, or has removed the table.
            Err(refusal) if refusal.errno == Errno::ENOENT => {}
            other => other.map_err(|refusal| refusal.of("take back published ports"))?,
        }
    }
    let udp = gone.iter().filter(|entry| entry.protocol == Protocol::Udp.number());
    forget(nft, &udp.map(|entry| entry.port).collect())
}

fn forget(nft: &mut Nft, udp: &BTreeSet<u16>) -> Result<()> {
    if udp.is_empty() {
        return Ok(());
    }
    flows::forget_udp(nft, udp).map_err(|refusal| refusal.of("forget the flows of the ports"))
}
