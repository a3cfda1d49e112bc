//! Networks removed. The bridge goes last: as long as it is there, what is left can be found.

use super::switch::Switch;
use super::{NetName, Network, forwarding, make, remains, rules};
use crate::attach::{hosts, patiently};
use crate::firewall::open;
use crate::netlink::Route;
use crate::netlink::links::{self, Link, Settings};
use crate::nft::Nft;
use chain::{Error, Result};

/// With the number of the bridge, the group of the interfaces that are removed with it: after those of
/// [confined](super::guard) hosts.
const GROUP: u32 = 0x6f00_0000;

/// Removes a network; `force` takes its hosts' interfaces too. What a killed [`make::add`] has left is removed as well.
pub fn remove(route: &mut Route, name: &NetName, force: bool) -> Result<()> {
    let all = links::list(route)?;
    let bridge = all.iter().find(|link| NetName::of(link).as_ref() == Some(name)).ok_or_else(|| {
        Error::new(format_args!("find the network {name}"), "no such network")
            .hint("`netns net ls` lists them")
    })?;
    if !force {
        patiently(|| check_empty(&links::list(route)?, name, bridge))?;
    }
    remove_all(route, name, bridge, &all)
}

fn check_empty(all: &[Link], name: &NetName, bridge: &Link) -> Result<()> {
    match all.iter().filter(|port| port.master == Some(bridge.index)).count() {
        0 => Ok(()),
        count => Err(Error::new(
            format_args!("remove the network {name}"),
            format_args!("{} in it", count_of(count)),
        )
        .hint("--force takes it away from them")),
    }
}

fn count_of(count: usize) -> String {
    if count == 1 { "one host is".to_owned() } else { format!("{count} hosts are") }
}

/// Removes a network with all that belongs to it, past errors, all of which are told: no host is there without the
/// rules that protect it.
pub fn remove_all(route: &mut Route, name: &NetName, bridge: &Link, all: &[Link]) -> Result<()> {
    let (mut gone, others): (Vec<_>, Vec<_>) =
        Network::all_among(all).into_iter().partition(|network| network.name == *name);
    for network in &mut gone {
        network.label.is_half = true;
        make::write_label(route, network)?;
    }
    remove_ports(route, bridge, all)?;
    let mut nft = Nft::open()?;
    let results = [
        rules::remove(name),
        open::close(&mut nft, &bridge.name),
        gone.iter().try_for_each(|network| remains::forget_flows(&mut nft, network, &[])),
        hosts::remove(name),
        hand_over(route, gone, others),
    ];
    let mut errors = results.into_iter().filter_map(Result::err);
    let first = errors.next();
    errors.for_each(|e| {
        e.report();
    });
    first.map_or_else(|| route.ask(links::remove(&name.bridge()?)).map(drop), Err)
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
fn hand_over(route: &mut Route, gone: Vec<Network>, others: Vec<Network>) -> Result<()> {
    let switched: Vec<String> = gone.into_iter().flat_map(|network| network.label.switched).collect();
    let is_heir = |network: &Network| !network.label.is_internal && !network.label.is_half;
    match others.into_iter().find(is_heir) {
        Some(mut heir) => match heir.label.note(switched) {
            true => make::write_label(route, &heir),
            false => Ok(()),
        },
        None => {
            let switches: Vec<Switch> = switched.iter().filter_map(|word| Switch::read(word)).collect();
            forwarding::turn_back(&switches);
            Ok(())
        }
    }
}
