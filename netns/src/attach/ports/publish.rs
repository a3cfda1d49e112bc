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
use std::slice::from_ref;

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
    for (map, ..) in MAPS {
        let elements: Vec<Element> =
            gone.iter().filter(|entry| entry.map == map).map(|entry| entry.element.clone()).collect();
        remove_elements(nft, table, map, &elements)?;
    }
    let udp = gone.iter().filter(|entry| entry.protocol == Protocol::Udp.number());
    forget(nft, &udp.map(|entry| entry.port).collect())
}

/// The kernel removes all or none: where another process has removed one meanwhile, or the table, each is tried alone.
fn remove_elements(nft: &mut Nft, table: &str, map: &str, elements: &[Element]) -> Result<()> {
    for change in elements::remove(table, map, elements) {
        match nft.transact(vec![change]) {
            Err(refusal) if refusal.errno == Errno::ENOENT => {
                let mut alone = elements.iter().filter(|_| elements.len() > 1);
                return alone.try_for_each(|element| remove_elements(nft, table, map, from_ref(element)));
            }
            other => other.map_err(|refusal| refusal.of("take back published ports"))?,
        }
    }
    Ok(())
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
