//! Networks made, repaired and removed.

use super::label::{Label, ROUTER};
use super::subnets::hash;
use super::{NetName, Network, forwarding, guard, rules};
use crate::attach::{hosts, ports};
use crate::firewall::open;
use crate::interface::Interface;
use crate::mac::Mac;
use crate::netlink::links::{self, Link, Settings};
use crate::netlink::{Route, addresses, routes};
use crate::nft::Nft;
use chain::{Error, Result};
use netlink_packet_route::link::InfoKind;

/// The largest packet where nothing says otherwise: that of Ethernet.
const MTU: u32 = 1500;

/// Makes a network: all of it, or nothing.
pub fn add(route: &mut Route, name: &NetName, label: Label, mtu: Option<u32>) -> Result<Network> {
    let bridge = name.bridge()?;
    let mtu = mtu.unwrap_or(MTU);
    // The kernel fits the MTU of a bridge to its ports until somebody has changed it: br_mtu_auto_adjust.
    let another = if mtu > MTU { mtu - 1 } else { mtu + 1 };
    let settings = Settings { mac: Some(mac(name)), mtu: Some(another), ..Settings::default() };
    route.ask(links::add(&bridge, InfoKind::Bridge, &settings)).map_err(|e| match e.errno() {
        Some(nix::errno::Errno::EEXIST) => {
            Error::new(format_args!("add {name}"), format_args!("the interface {bridge} exists"))
                .hint(format_args!("`netns net rm {name}` removes the network"))
        }
        Some(nix::errno::Errno::EPERM) => {
            e.hint("run it as root, or as root of a user and a network namespace: `unshare-rs -Urn`")
        }
        _ => e,
    })?;
    furnish(route, name.clone(), label, mtu, &bridge).inspect_err(|_| {
        let _ = rules::remove(name);
        let _ = close_firewall(&bridge);
        let _ = route.ask(links::remove(&bridge));
    })
}

fn close_firewall(bridge: &Interface) -> Result<()> {
    open::close(&mut Nft::open()?, bridge.as_str())
}

/// A fixed address, so that it does not change with the ports; of those that anybody may choose.
fn mac(name: &NetName) -> Mac {
    let [a, b, c, d, e, ..] = hash(&name.as_str()).to_be_bytes();
    Mac([0x02, a, b, c, d, e])
}

fn furnish(route: &mut Route, name: NetName, label: Label, mtu: u32, bridge: &Interface) -> Result<Network> {
    let link = links::find(route, bridge)?;
    let mut network = Network { name, index: link.index, mtu, label };
    forwarding::of_bridge(bridge.as_str(), network.label.v6.is_some())?;
    rules::load(&network)?;
    let settings = Settings { mtu: Some(mtu), ..Settings::up() };
    let mut requests = vec![links::set_index(format!("set {bridge} up"), link.index, &settings)];
    requests.extend(network.addresses(ROUTER).map(|cidr| addresses::add(link.index, bridge, cidr)));
    route.batch(&requests)?;
    let all = links::list(route)?;
    open_uplinks(route, &mut network, &all)?;
    let open = match network.label.is_open {
        true => open::open(&mut Nft::open()?, &network),
        false => Ok(()),
    };
    open.and_then(|()| write_label(route, &network))
        .inspect_err(|_| forwarding::turn_back(&network.label.switched))?;
    Ok(network)
}

/// Turns what the network needs to reach the outside, and tells whether that was anything.
fn open_uplinks(route: &mut Route, network: &mut Network, all: &[Link]) -> Result<bool> {
    if network.label.is_internal {
        return Ok(false);
    }
    let uplinks = forwarding::uplinks(all, &routes::list(route)?);
    let before: Vec<String> =
        Network::among(all).into_iter().flat_map(|network| network.label.switched).collect();
    let mut switched = forwarding::of_uplinks(&uplinks, all, network.label.v6.is_some(), &before)?;
    // What somebody has turned back meanwhile.
    switched.retain(|switch| !network.label.switched.contains(switch));
    let is_any = !switched.is_empty();
    network.label.switched.extend(switched);
    Ok(is_any)
}

/// Lets a network through the firewalls of others from now on.
pub fn open_firewall(route: &mut Route, nft: &mut Nft, network: &mut Network) -> Result<()> {
    open::open(nft, network)?;
    if !std::mem::replace(&mut network.label.is_open, true) {
        write_label(route, network)?;
    }
    Ok(())
}

fn write_label(route: &mut Route, network: &Network) -> Result<()> {
    let settings = Settings { alias: Some(network.label.to_string()), ..Settings::default() };
    let what = format!("write the label of the network {}", network.name);
    route.ask(links::set_index(what, network.index, &settings)).map(drop)
}

/// Makes whole what others have broken: rules, switches, addresses.
pub fn repair(route: &mut Route, name: &NetName) -> Result<Network> {
    let mut network = Network::find(route, name)?;
    let bridge = name.bridge()?;
    forwarding::of_bridge(bridge.as_str(), network.label.v6.is_some())?;
    let all = links::list(route)?;
    repair_rules(&network, &all)?;
    let mut requests = vec![links::set_index(format!("set {bridge} up"), network.index, &Settings::up())];
    requests.extend(network.addresses(ROUTER).map(|cidr| addresses::add(network.index, &bridge, cidr)));
    route.batch(&requests)?;
    if open_uplinks(route, &mut network, &all)? {
        write_label(route, &network)?;
    }
    Ok(network)
}

/// Loads both tables again, the second one where a host needs it.
fn repair_rules(network: &Network, all: &[Link]) -> Result<()> {
    let mut nft = Nft::open()?;
    let _lock = ports::lock()?;
    let saved = ports::save(&mut nft, &network.name)?;
    rules::load(network)?;
    ports::restore(&mut nft, network, &saved, all)?;
    let is_confined = |link: &Link| {
        link.master == Some(network.index) && guard::Confinement::of(network, link.group).is_any()
    };
    if all.iter().any(is_confined) { guard::load(network) } else { Ok(()) }
}

/// Removes a network; `force` takes its hosts' interfaces too. What a killed [`add`] has left is removed as well.
pub fn remove(route: &mut Route, name: &NetName, force: bool) -> Result<()> {
    let bridge = name.bridge()?;
    let all = links::list(route)?;
    let link = all.iter().find(|link| link.name == bridge.as_str() && link.kind == "bridge");
    let link = link.ok_or_else(|| {
        Error::new(format_args!("find the network {name}"), "no such network")
            .hint("`netns net ls` lists them")
    })?;
    let ports: Vec<&Link> = all.iter().filter(|port| port.master == Some(link.index)).collect();
    if !ports.is_empty() && !force {
        return Err(Error::new(
            format_args!("remove the network {name}"),
            format_args!("{} in it", count_of(ports.len())),
        )
        .hint("--force takes it away from them"));
    }
    let networks = Network::among(&all);
    let mut requests: Vec<_> =
        ports.iter().filter_map(|port| port.name.parse().ok()).map(|port| links::remove(&port)).collect();
    requests.push(links::remove(&bridge));
    route.batch(&requests)?;
    let results =
        [hand_over(route, name, networks), hosts::remove(name), rules::remove(name), close_firewall(&bridge)];
    let mut errors = results.into_iter().filter_map(Result::err);
    let first = errors.next();
    errors.for_each(|e| {
        e.report();
    });
    first.map_or(Ok(()), Err)
}

fn count_of(count: usize) -> String {
    if count == 1 { "one host is".to_owned() } else { format!("{count} hosts are") }
}

/// Turns off what was turned on for a network that has gone, unless another one needs it, which then keeps account.
fn hand_over(route: &mut Route, name: &NetName, networks: Vec<Network>) -> Result<()> {
    let (gone, others): (Vec<_>, Vec<_>) = networks.into_iter().partition(|network| network.name == *name);
    let switched: Vec<String> = gone.into_iter().flat_map(|network| network.label.switched).collect();
    match others.into_iter().find(|network| !network.label.is_internal) {
        Some(mut heir) if !switched.is_empty() => {
            heir.label.switched.extend(switched);
            write_label(route, &heir)
        }
        Some(_) => Ok(()),
        None => {
            forwarding::turn_back(&switched);
            Ok(())
        }
    }
}
