//! Networks made and repaired.

use super::label::{Label, ROUTER};
use super::subnets::hash;
use super::{NetName, Network, forwarding, guard, removal, rules};
use crate::attach::ports::Saved;
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
        if let Err(also) = removal::remove(route, name, true) {
            also.report();
        }
    })
}

/// A fixed address, so that it does not change with the ports; of those that anybody may choose.
pub fn mac(name: &NetName) -> Mac {
    let [a, b, c, d, e, ..] = hash(&name.as_str()).to_be_bytes();
    Mac([0x02, a, b, c, d, e])
}

fn furnish(route: &mut Route, name: NetName, label: Label, mtu: u32, bridge: &Interface) -> Result<Network> {
    let link = links::find(route, bridge)?;
    let mut network = Network { name, index: link.index, mtu, label: Label { is_half: true, ..label } };
    write_label(route, &network)?;
    forwarding::of_bridge(bridge.as_str(), network.label.v6.is_some())?;
    rules::load(&network, &Saved::default())?;
    let settings = Settings { mtu: Some(mtu), ..Settings::up() };
    let mut requests = vec![links::set_index(format!("set {bridge} up"), link.index, &settings)];
    requests.extend(network.addresses(ROUTER).map(|cidr| addresses::add(link.index, bridge, cidr)));
    route.batch(&requests)?;
    let all = links::list(route)?;
    open_uplinks(route, &mut network, &all)?;
    if network.label.is_open {
        open::open(&mut Nft::open()?, &network)?;
    }
    network.label.is_half = false;
    write_label(route, &network).map(|()| network)
}

/// Turns what the network needs to reach the outside. It is written down first, so that who is killed in between
/// leaves word of it.
fn open_uplinks(route: &mut Route, network: &mut Network, all: &[Link]) -> Result<()> {
    if network.label.is_internal {
        return Ok(());
    }
    let uplinks = forwarding::uplinks(all, &routes::list(route)?);
    let before: Vec<String> =
        Network::among(all).into_iter().flat_map(|network| network.label.switched).collect();
    let switches = forwarding::of_uplinks(&uplinks, all, network.label.v6.is_some(), &before)?;
    if network.label.note(switches.iter().map(ToString::to_string)) {
        write_label(route, network)?;
    }
    forwarding::turn(&switches)
}

/// Lets a network through the firewalls of others from now on.
pub fn open_firewall(route: &mut Route, nft: &mut Nft, network: &mut Network) -> Result<()> {
    open::open(nft, network)?;
    if !std::mem::replace(&mut network.label.is_open, true) {
        write_label(route, network)?;
    }
    Ok(())
}

/// Writes on the bridge what the network is.
pub fn write_label(route: &mut Route, network: &Network) -> Result<()> {
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
    open_uplinks(route, &mut network, &all)?;
    Ok(network)
}

/// Loads both tables again, the second one where a host needs it.
fn repair_rules(network: &Network, all: &[Link]) -> Result<()> {
    let mut nft = Nft::open()?;
    rules::load(network, &Saved::read(&mut nft, network, all)?)?;
    let is_confined = |link: &Link| {
        link.master == Some(network.index) && guard::Confinement::of(network, link.group).is_any()
    };
    if all.iter().any(is_confined) { guard::load(network) } else { Ok(()) }
}
