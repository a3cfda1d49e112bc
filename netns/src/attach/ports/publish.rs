//! Ports published and taken back.

use super::entry::{Entry, MAPS, entries, list, map};
use crate::network::{NetName, Network};
use crate::nft::elements::{self, Element};
use crate::nft::{Nft, flows};
use crate::published::{Protocol, Published};
use chain::Result;
use nix::errno::Errno;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Publishes ports of a host. After a refusal some may be published: [`purge`] takes them back.
pub fn publish(
    nft: &mut Nft,
    network: &NetName,
    name: Option<&str>,
    ports: &[Published],
    addresses: &[IpAddr],
) -> Result<()> {
    let table = network.table();
    let mut changes = ports.iter().flat_map(|port| {
        let all: Vec<Element> = entries(port, name, addresses).map(|entry| entry.element).collect();
        elements::add(&table, map(port.address), &all)
    });
    let added = changes.try_for_each(|change| nft.transact(vec![change]));
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

/// Removes ports of a table, which may be gone already.
pub fn remove(nft: &mut Nft, table: &str, gone: &[Entry]) -> Result<()> {
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
    flows::forget(nft, |flow| flow.protocol == Protocol::Udp && udp.contains(&flow.to.port()))
        .map_err(|refusal| refusal.of("forget the flows of the ports"))
}

/// Has the kernel forget all flows that lead to these addresses.
pub fn forget_flows(nft: &mut Nft, addresses: &[IpAddr]) -> Result<()> {
    flows::forget(nft, |flow| addresses.contains(&flow.answers.ip()))
        .map_err(|refusal| refusal.of("forget the flows of a host"))
}
