//! `netns gc`: what killed processes have left.

use crate::attach::{bare, hosts::Hosts, ports, resolver};
use crate::give;
use crate::netlink::{Route, links};
use crate::network::label::ROUTER;
use crate::network::turn::Turn;
use crate::network::{Network, remains};
use crate::nft::Nft;
use chain::Result;
use std::collections::BTreeSet;
use std::iter::once;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {}

/// Removes networks that were not finished, names that were not given, and the ports and names of hosts that are not
/// there any more.
pub fn run(_: &Options) -> Result<u8> {
    let (mut route, mut nft) = (Route::open()?, Nft::open()?);
    give::clean()?;
    let turn = Turn::take()?;
    remains::remove(&mut route, &mut nft, &turn)?;
    for network in Network::list(&mut route)? {
        clean(&mut route, &mut nft, &network)?;
    }
    Ok(0)
}

fn clean(route: &mut Route, nft: &mut Nft, network: &Network) -> Result<()> {
    // Locked first: a host that comes now has its interface before its ports and its name.
    let mut hosts = Hosts::open(&network.name)?;
    let links = links::list(route)?;
    let numbers: BTreeSet<u32> = links.iter().filter_map(|link| network.host_number(&link.name)).collect();
    let addresses = bare(once(ROUTER).chain(numbers.iter().copied()).flat_map(|n| network.addresses(n)));
    ports::purge_except(nft, network, &addresses)?;
    hosts.keep(&addresses)?;
    resolver::keep(network, |number| numbers.contains(&number));
    remains::forget_flows(nft, network, &addresses)
}
