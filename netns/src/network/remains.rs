//! What killed processes have left of networks. For the holder of the turn: nobody is about to finish it.

use super::{NetName, Network, make, removal, rules};
use crate::netlink::Route;
use crate::netlink::links::{self, Link};
use crate::network::label::Label;
use crate::network::turn::Turn;
use crate::nft::{BRIDGE, INET, Nft, flows};
use chain::Result;
use std::net::IpAddr;

/// Removes networks that are half made or half removed, and tables whose bridge is not there any more.
pub fn remove(route: &mut Route, nft: &mut Nft, _: &Turn) -> Result<()> {
    let all = links::list(route)?;
    let bridges = || all.iter().filter_map(|link| Some((NetName::of(link)?, link)));
    for (name, bridge) in bridges().filter(|(name, link)| is_half(name, link)) {
        removal::remove_all(route, &name, bridge, &all)?;
    }
    for table in nft.tables().map_err(|refusal| refusal.of("list tables"))? {
        let is_ours = [INET, BRIDGE].contains(&table.family);
        let name = table.name.strip_prefix(NetName::TABLE).filter(|_| is_ours);
        if let Some(name) = name.and_then(|name| name.parse::<NetName>().ok())
            && bridges().all(|(other, _)| other != name)
        {
            rules::remove(&name)?;
        }
    }
    Ok(())
}

/// Whether it says so, or has no label yet but the address that [`make::add`] gives a bridge at once.
fn is_half(name: &NetName, bridge: &Link) -> bool {
    match &bridge.alias {
        Some(alias) => Label::read(alias).is_some_and(|label| label.is_half),
        None => bridge.mac == Some(make::mac(name)),
    }
}

/// Has the kernel forget the connections to hosts of a network that have none of these addresses.
pub fn forget_flows(nft: &mut Nft, network: &Network, living: &[IpAddr]) -> Result<()> {
    let is_gone = |ip: IpAddr| network.label.subnets().any(|s| s.contains(ip)) && !living.contains(&ip);
    flows::forget(nft, |flow| is_gone(flow.answers.ip()))
        .map_err(|refusal| refusal.of("forget the flows of hosts that are gone"))
}
