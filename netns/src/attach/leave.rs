//! Namespaces taken out of their networks: what would otherwise be left of it, once their interfaces have gone, until `gc`.

use super::hosts::Hosts;
use super::{bare, ports, resolver};
use crate::namespace::Namespace;
use crate::netlink::links::{self, Link};
use crate::netlink::{Route, nsids};
use crate::network::Network;
use crate::network::label::PortLabel;
use crate::nft::Nft;
use chain::Result;
use std::net::IpAddr;

/// A host of a network of the namespace that this process is in.
#[derive(Debug)]
pub struct Member {
    network: Network,
    number: u32,
    label: PortLabel,
}

impl Member {
    /// What `inside` is in networks of this namespace under this name.
    pub fn find(inside: &Namespace, name: &str) -> Result<Vec<Self>> {
        let home = Namespace::own()?;
        if home.enter().is_err() {
            // Who could not come back must not leave, and cannot have made a network here.
            return Ok(Vec::new());
        }
        let peers: Vec<Link> = links::list(&mut Route::open_in(inside)?)?;
        let mut route = Route::open()?;
        let mut found = Vec::new();
        for (index, peer) in peers.iter().filter_map(|link| Some((link.index, link.peer?))) {
            found.extend(Member::at(&mut route, inside, index, peer)?);
        }
        found.retain(|member| member.label.name.as_deref() == Some(name));
        Ok(found)
    }

    /// The host at the end number `end` here, if that is the end of number `index` inside and a port of a network.
    fn at(route: &mut Route, inside: &Namespace, index: u32, end: u32) -> Result<Option<Self>> {
        let Some(link) = links::look_index(route, end)? else { return Ok(None) };
        if link.peer != Some(index) || link.peer_nsid != nsids::find(route, inside)? {
            return Ok(None);
        }
        let Some(bridge) = link.master.map(|bridge| links::look_index(route, bridge)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let host = Network::of(&bridge).and_then(|network| {
            let number = network.host_number(&link.name)?;
            let label = link.alias.as_deref().and_then(PortLabel::read).unwrap_or_default();
            Some(Member { network, number, label })
        });
        Ok(host)
    }
}

/// Takes back the published ports of these hosts, with what flows through them, and their names: a network at a time,
/// for each look at its ports lists them all.
pub fn leave(mut members: Vec<Member>) -> Vec<Result<()>> {
    members.sort_by(|a, b| a.network.name.cmp(&b.network.name));
    members.chunk_by(|a, b| a.network.name == b.network.name).map(leave_one).collect()
}

fn leave_one(members: &[Member]) -> Result<()> {
    let Some(Member { network, .. }) = members.first() else { return Ok(()) };
    if let Some(mut names) = Hosts::open_if_there(&network.name)? {
        names.set(&addresses(members.iter()), None)?;
    }
    members.iter().for_each(|member| resolver::remove(network, member.number));
    let published = addresses(members.iter().filter(|member| !member.label.ports.is_empty()));
    if published.is_empty() {
        return Ok(());
    }
    let mut nft = Nft::open()?;
    ports::purge(&mut nft, network, &published)?;
    ports::forget_flows(&mut nft, &published)?;
    nft.close_elsewhere();
    Ok(())
}

fn addresses<'a>(members: impl Iterator<Item = &'a Member>) -> Vec<IpAddr> {
    members.flat_map(|member| bare(member.network.addresses(member.number))).collect()
}
