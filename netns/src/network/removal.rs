//! Networks removed. The bridge goes last: as long as it is there, what is left can be found.

use super::{NetName, Network, forwarding, make, remains};
use crate::attach::hosts;
use crate::netlink::Route;
use crate::netlink::links::{self, Link, Settings};
use crate::nft::Nft;
use chain::{Error, Result};

/// With the number of the bridge, the group of the interfaces that are removed with it.
const GROUP: u32 = 0x6e62_0000;

/// Removes a network; `force` takes its hosts' interfaces too. What a killed [`make::add`] has left is removed as well.
pub fn remove(route: &mut Route, name: &NetName, force: bool) -> Result<()> {
    let all = links::list(route)?;
    let bridge = all.iter().find(|link| NetName::of(link).as_ref() == Some(name)).ok_or_else(|| {
        Error::new(format_args!("find the network {name}"), "no such network")
            .hint("`netns net ls` lists them")
    })?;
    let count = all.iter().filter(|port| port.master == Some(bridge.index)).count();
    if count > 0 && !force {
        return Err(Error::new(
            format_args!("remove the network {name}"),
            format_args!("{} in it", count_of(count)),
        )
        .hint("--force takes it away from them"));
    }
    remove_all(route, name, bridge, &all)
}

fn count_of(count: usize) -> String {
    if count == 1 { "one host is".to_owned() } else { format!("{count} hosts are") }
}

/// Removes a network with all that belongs to it: no host is there without the rules that protect it.
pub fn remove_all(route: &mut Route, name: &NetName, bridge: &Link, all: &[Link]) -> Result<()> {
    let (mut gone, others): (Vec<_>, Vec<_>) =
        Network::all_among(all).into_iter().partition(|network| network.name == *name);
    let mut switched = Vec::new();
    for network in &mut gone {
        network.label.is_half = true;
        make::write_label(route, network)?;
        switched.append(&mut network.label.switched);
    }
    remove_ports(route, bridge, all)?;
    let mut nft = Nft::open()?;
    nft.delete_table(&name.table())
        .map_err(|refusal| refusal.of(&format!("remove the rules of the network {name}")))?;
    gone.iter().try_for_each(|network| remains::forget_flows(&mut nft, network, &[]))?;
    hosts::remove(name)?;
    hand_over(route, switched, others)?;
    route.ask(links::remove(&name.bridge()?)).map(drop)
}

/// All in one go: each by itself would take the kernel 10 milliseconds and more.
fn remove_ports(route: &mut Route, bridge: &Link, all: &[Link]) -> Result<()> {
    let group = GROUP + bridge.index;
    let settings = Settings { group: Some(group), ..Settings::default() };
    let ports = all.iter().filter(|link| link.master == Some(bridge.index));
    let mut requests: Vec<_> = ports
        .map(|port| links::set_index(format!("remove {}", port.name), port.index, &settings))
        .map(|request| request.tolerate(links::GONE))
        .collect();
    if !requests.is_empty() {
        requests.push(links::remove_group(group));
    }
    route.batch(&requests).map(drop)
}

/// Turns off what was turned on for a network that goes, unless another one needs it, which then keeps account.
fn hand_over(route: &mut Route, switched: Vec<String>, others: Vec<Network>) -> Result<()> {
    let is_heir = |network: &Network| !network.label.is_internal && !network.label.is_half;
    match others.into_iter().find(is_heir) {
        Some(mut heir) if !switched.is_empty() => {
            heir.label.switched.extend(switched);
            heir.label.switched.sort_unstable();
            heir.label.switched.dedup();
            make::write_label(route, &heir)
        }
        Some(_) => Ok(()),
        None => {
            forwarding::switch_off(&switched);
            Ok(())
        }
    }
}
