//! `netns gc`: what killed processes have left.

use crate::attach::{bare, hosts::Hosts, ports, resolver};
use crate::netlink::{Route, links};
use crate::network::Network;
use crate::nft::Nft;
use chain::Result;
use std::collections::BTreeSet;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {}

/// Takes back the ports and names of hosts that are not there any more.
pub fn run(_: &Options) -> Result<u8> {
    let (mut route, mut nft) = (Route::open()?, Nft::open()?);
    for network in Network::list(&mut route)? {
        // Locked first: a host that comes now has its interface before its ports and its name.
        let mut hosts = Hosts::open(&network.name)?;
        let links = links::list(&mut route)?;
        let numbers: BTreeSet<u32> =
            links.iter().filter_map(|link| network.host_number(&link.name)).collect();
        let addresses = bare(numbers.iter().flat_map(|number| network.addresses(*number)));
        ports::purge_except(&mut nft, &network, &addresses)?;
        hosts.keep(&addresses)?;
        resolver::keep(&network, |number| numbers.contains(&number));
    }
    Ok(0)
}
