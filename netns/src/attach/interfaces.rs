//! The pair of interfaces of a host: one end at the bridge, the other, eth0, inside.

use super::plan::{FIRST_HOST, Plan};
use crate::interface::Interface;
use crate::mac::Mac;
use crate::namespace::Namespace;
use crate::netlink::bridge_ports::{self, Port};
use crate::netlink::links::{self, Settings};
use crate::netlink::routes::Way;
use crate::netlink::{Route, addresses, routes, shapers, veths};
use crate::network::Network;
use crate::network::label::{PortLabel, ROUTER};
use crate::network::subnets::hash;
use chain::{Error, Result};
use nix::errno::Errno;
use std::net::IpAddr;

/// The end inside.
const INSIDE: &str = "eth0";
/// `BR_MAX_PORTS` of net/bridge/br_private.h, less the bridge itself.
const MOST: usize = 1023;

/// What was made.
#[derive(Debug)]
pub struct Host {
    /// The number of the host, which its addresses follow from.
    pub number: u32,
    /// The end at the bridge.
    pub port: Interface,
}

/// Makes the pair under the first free number, and with it takes the address.
pub fn make(route: &mut Route, plan: &Plan, inside: &Namespace) -> Result<Host> {
    for number in candidates(plan) {
        let port = plan.network.port(number)?;
        match route.ask(pair(plan, number, &port, inside)?) {
            Ok(_) => return Ok(Host { number, port }),
            Err(e) if e.errno() == Some(Errno::EEXIST) => {}
            Err(e) => return Err(explain(e, plan)),
        }
    }
    Err(all_taken(route, plan))
}

/// The one that was asked for, or all, from one on that the name stands for: the same name finds the same address.
fn candidates(plan: &Plan) -> impl Iterator<Item = u32> + use<> {
    let (first, count) = match plan.number {
        Some(number) => (number, 1),
        None => (FIRST_HOST, plan.network.last_host() - FIRST_HOST + 1),
    };
    let start = match &plan.name {
        Some(name) => hash(&name.as_str()),
        None => hash(&std::process::id()),
    };
    (0..count).map(move |i| first + ((start % u64::from(count)) as u32 + i) % count)
}

fn pair(plan: &Plan, number: u32, port: &Interface, inside: &Namespace) -> Result<crate::netlink::Request> {
    let mtu = Some(plan.mtu.unwrap_or(plan.network.mtu));
    let group = plan.confinement.group(&plan.network);
    let near = Settings { master: Some(plan.network.index), mtu, group, ..Settings::up() };
    let mac = plan.mac.unwrap_or_else(|| mac(&plan.network, number));
    let far = Settings { mac: Some(mac), mtu, ..Settings::default() };
    Ok(veths::pair(port, &near, &inside_name()?, &far, Some(inside)))
}

fn inside_name() -> Result<Interface> {
    INSIDE.parse().map_err(|why| Error::new("name the interface inside", why))
}

/// The same for the same address, so that what others remember of it stays true when another host gets it.
fn mac(network: &Network, number: u32) -> Mac {
    let [a, b, ..] = hash(&network.name.as_str()).to_be_bytes();
    let [_, c, d, e] = number.to_be_bytes();
    Mac([0x06, a, b, c, d, e])
}

fn explain(e: Error, plan: &Plan) -> Error {
    let name = &plan.network.name;
    match e.errno() {
        Some(Errno::EXFULL) => Error::new(
            format_args!("join the network {name}"),
            format_args!("a bridge has {MOST} ports at most, and all are in use"),
        ),
        Some(Errno::EPERM) => {
            e.hint("run it as root, or as root of a user and a network namespace: `unshare-rs -Urn`")
        }
        _ => e,
    }
}

fn all_taken(route: &mut Route, plan: &Plan) -> Error {
    let what = format!("join the network {}", plan.network.name);
    let Some(number) = plan.number else {
        return Error::new(what, "all its addresses are in use");
    };
    let address = plan.network.addresses(number).next().map_or_else(String::new, |cidr| cidr.ip.to_string());
    let holder = plan.network.port(number).ok().and_then(|port| links::look(route, &port).ok()?);
    let holder = holder.and_then(|link| PortLabel::read(&link.alias?)?.name);
    match holder {
        Some(holder) => Error::new(what, format_args!("{holder} has the address {address}")),
        None => Error::new(what, format_args!("the address {address} is in use")),
    }
}

/// Sets up what is inside: lo, eth0, addresses, default routes. Gives the number of the end at the bridge.
pub fn furnish(inner: &mut Route, plan: &Plan, number: u32) -> Result<u32> {
    let (inside, lo) = (inside_name()?, "lo".parse().map_err(|why| Error::new("set lo up", why))?);
    let found = inner.batch(&[
        links::set("set the loopback interface up", &lo, &Settings::up()),
        links::set(format!("set {INSIDE} up"), &inside, &Settings::up()),
        links::get(&inside),
    ])?;
    let link = links::links(&found).next();
    let link = link.ok_or_else(|| Error::os(format_args!("find {INSIDE}"), Errno::ENODEV))?;
    let mut requests = Vec::new();
    requests.extend(plan.network.addresses(number).map(|cidr| addresses::add(link.index, INSIDE, cidr)));
    let routers: Vec<IpAddr> = super::bare(plan.network.addresses(ROUTER));
    if !plan.is_internal() {
        let way = |router| Way { index: Some(link.index), ..Way::default_via(router) };
        requests.extend(routers.into_iter().map(|router| routes::add(&way(router))));
    }
    requests.extend(plan.up.map(|rate| shapers::limit(INSIDE, link.index, rate)));
    inner.batch(&requests)?;
    link.peer.ok_or_else(|| Error::os(format_args!("find the other end of {INSIDE}"), Errno::ENODEV))
}

/// Writes on the end at the bridge whose it is, and what it may do.
pub fn finish(route: &mut Route, plan: &Plan, index: u32) -> Result<()> {
    let name = plan.name.as_ref().map(ToString::to_string);
    let label = PortLabel { name, ports: plan.all_ports().map(ToString::to_string).collect() }.cut();
    let is_isolated = plan.network.label.is_isolated || plan.confinement.is_isolated;
    let port = Port { is_hairpin: !plan.ports.is_empty(), is_isolated };
    let settings = Settings { alias: Some(label.to_string()), ..Settings::default() };
    let mut requests = vec![bridge_ports::set("set up the port of the bridge", index, port, &settings)];
    requests.extend(plan.down.map(|rate| shapers::limit("the port of the bridge", index, rate)));
    route.batch(&requests).map(drop)
}
