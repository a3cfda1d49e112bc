//! The pair and the bridge that the namespace hangs on.

use super::Found;
use super::patient::{Outside, Patient, is_global, within};
use crate::mac::Mac;
use crate::netlink::links::Link;
use crate::survey::wiring::End;
use chain::text::show;
use netlink_packet_route::neighbour::NeighbourState;
use std::net::IpAddr;

/// As many ports as a bridge can have: `BR_MAX_PORTS` of net/bridge/br_private.h, without number 0.
const PORTS: usize = 1023;

/// An interface is up, but what it is connected to is not.
pub fn carrier(patient: &Patient<'_>) -> Vec<Found> {
    let waits =
        patient.space.links.iter().filter(|link| link.is_up && !link.has_carrier && link.peer.is_some());
    waits
        .map(|link| match patient.survey.wiring.peer(End { space: patient.index, index: link.index }) {
            Some(end) => {
                let other = patient.survey.argument(end);
                (
                    format!("{} has no carrier: its other end, {other}, is down", link.name),
                    vec![format!("netns up {other}")],
                )
            }
            None => (
                format!("{} has no carrier, and its other end cannot be seen from here", link.name),
                Vec::new(),
            ),
        })
        .collect()
}

/// The other end hangs in the air.
pub fn wiring(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.outside.as_ref().filter(|outside| outside.is_loose()) else {
        return Vec::new();
    };
    let other = outside.place(patient.survey, outside.port);
    let cure = bridge_of_network(patient, outside).map(|bridge| {
        format!("netns bridge {} {}", outside.place(patient.survey, bridge), show(&outside.port.name))
    });
    let message =
        format!("the other end of {}, {other}, is in no bridge and has no address", outside.inner.name);
    vec![(message, cure.into_iter().collect())]
}

/// The bridge there that has an address of the network that the namespace is in.
fn bridge_of_network<'a>(patient: &Patient<'_>, outside: &Outside<'a>) -> Option<&'a Link> {
    let is_near = |ip: IpAddr| {
        let mut own = patient.space.addresses_of(outside.inner.index);
        own.any(|own| is_global(own.cidr.ip) && own.cidr.contains(ip))
    };
    let mut bridges = outside.space.links.iter().filter(|link| link.kind == "bridge");
    bridges.find(|bridge| outside.space.addresses_of(bridge.index).any(|address| is_near(address.cidr.ip)))
}

/// The bridge is down.
pub fn bridge(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(bridge) = outside.bridge.filter(|bridge| !bridge.is_up) else { return Vec::new() };
    let place = outside.place(patient.survey, bridge);
    vec![(format!("the bridge {place} is down"), vec![format!("netns up {place}")])]
}

/// The bridge has no room for another port.
pub fn bridge_ports(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(bridge) = outside.bridge else { return Vec::new() };
    let mut ports = outside.space.links.iter().filter(|link| link.master == Some(bridge.index));
    if ports.clone().count() < PORTS {
        return Vec::new();
    }
    let place = outside.place(patient.survey, bridge);
    let idle = ports.find(|port| !port.has_carrier);
    let message =
        format!("the bridge {place} has {PORTS} ports, as many as there can be: the next one is refused");
    vec![(
        message,
        idle.map(|port| format!("netns bridge --rm {place} {}", show(&port.name))).into_iter().collect(),
    )]
}

/// The interfaces that are on one link with that of the namespace: the bridge, and the other ends of its ports.
fn neighbourhood(patient: &Patient<'_>, outside: &Outside<'_>) -> Vec<End> {
    let near = End { space: outside.index, index: outside.near().index };
    let ports =
        outside.space.links.iter().filter(|link| link.master.is_some() && link.master == outside.port.master);
    let others =
        ports.filter_map(|port| patient.survey.wiring.peer(End { space: outside.index, index: port.index }));
    std::iter::once(near).chain(others).collect()
}

/// Something else on the link has the same address, of IP or of Ethernet.
pub fn duplicate(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let itself = End { space: patient.index, index: outside.inner.index };
    let others = neighbourhood(patient, outside).into_iter().filter(|end| *end != itself);
    others
        .flat_map(|end| {
            same_address(patient, outside, end).into_iter().chain(same_mac(patient, outside, end))
        })
        .collect()
}

fn same_address(patient: &Patient<'_>, outside: &Outside<'_>, end: End) -> Vec<Found> {
    let (other, inner) = (patient.survey.argument(end), outside.inner);
    // The router keeps what all others know it by.
    let is_router = end == (End { space: outside.index, index: outside.near().index });
    let own = || patient.space.addresses_of(inner.index).filter(|own| is_global(own.cidr.ip));
    let theirs = patient.survey.spaces[end.space].addresses_of(end.index);
    let pairs = theirs.filter_map(|their| Some((their, own().find(|own| own.cidr.ip == their.cidr.ip)?)));
    pairs
        .map(|(their, own)| {
            let cure = match is_router {
                true => format!("netns addr --rm {} {}", patient.place(inner), own.cidr),
                false => format!("netns addr --rm {other} {}", their.cidr),
            };
            (format!("{} and {other} have one address, {}", inner.name, own.cidr.ip), vec![cure])
        })
        .collect()
}

/// A bridge sends what is for either to who has spoken last.
fn same_mac(patient: &Patient<'_>, outside: &Outside<'_>, end: End) -> Option<Found> {
    let (other, inner) = (patient.survey.spaces[end.space].link(end.index)?, outside.inner);
    // What lies on top of another interface, as an ipvlan does, has its address by nature.
    let mac = inner.mac.filter(|_| inner.kind == "veth" && other.kind == "veth" && other.mac == inner.mac)?;
    let message =
        format!("{} and {} have one Ethernet address, {mac}", inner.name, patient.survey.argument(end));
    let line = |free| within(patient.space, &format!("ip link set dev {} address {free}", show(&inner.name)));
    Some((message, Mac::random().ok().map(line).into_iter().collect()))
}

/// Nobody on the link has the address of the router, or nobody answers for it.
pub fn gateway(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.attached() else { return Vec::new() };
    let routers =
        patient.defaults().filter(|way| way.index == Some(outside.inner.index)).filter_map(|way| way.via);
    let near = neighbourhood(patient, outside);
    let is_there = |ip: IpAddr| {
        near.iter()
            .any(|end| patient.survey.spaces[end.space].addresses_of(end.index).any(|a| a.cidr.ip == ip))
    };
    routers
        .filter(|ip| !is_there(*ip) && (is_closed(patient, outside) || is_silent(patient, *ip)))
        .map(|ip| {
            let message = format!("nobody on its link has the address of the router, {ip}");
            (message, lead_to_router(patient, outside, ip))
        })
        .collect()
}

/// By the router that there is on the link, else by the one that is looked for.
fn lead_to_router(patient: &Patient<'_>, outside: &Outside<'_>, wanted: IpAddr) -> Vec<String> {
    let own = patient.space.addresses_of(outside.inner.index).find(|own| own.cidr.contains(wanted));
    let mut there = outside.space.addresses_of(outside.near().index).map(|address| address.cidr.ip);
    if let Some(router) = there.find(|ip| own.is_some_and(|own| own.cidr.contains(*ip))) {
        let line = format!("netns route {} default via", patient.space.argument());
        return vec![format!("{line} {wanted} --rm"), format!("{line} {router}")];
    }
    let prefix = own.map_or(if wanted.is_ipv4() { 32 } else { 128 }, |own| own.cidr.prefix);
    let place = outside.place(patient.survey, outside.near());
    vec![format!("netns addr {place} {wanted}/{prefix}")]
}

/// Everything that is on the link can be seen from here.
fn is_closed(patient: &Patient<'_>, outside: &Outside<'_>) -> bool {
    let mut ports =
        outside.space.links.iter().filter(|link| link.master.is_some() && link.master == outside.port.master);
    ports.all(|port| patient.survey.wiring.peer(End { space: outside.index, index: port.index }).is_some())
}

fn is_silent(patient: &Patient<'_>, ip: IpAddr) -> bool {
    let silent = |state| matches!(state, NeighbourState::Failed | NeighbourState::Incomplete);
    patient.neighbours.iter().any(|neighbour| neighbour.ip == ip && silent(neighbour.state))
}

/// Packets are larger than what lies on their way can take.
pub fn mtu(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let uplink = outside.uplink(true).or_else(|| outside.uplink(false));
    let way = [Some(outside.port), outside.bridge, uplink].into_iter().flatten();
    let Some(tight) = way.filter(|link| link.mtu < outside.inner.mtu).min_by_key(|link| link.mtu) else {
        return Vec::new();
    };
    let (inner, place) = (outside.inner, outside.place(patient.survey, tight));
    let message = format!(
        "{} sends packets of up to {} bytes, {place} takes {} at most",
        inner.name, inner.mtu, tight.mtu
    );
    let port = outside.place(patient.survey, outside.port);
    vec![(message, vec![format!("netns veth --mtu {} {} {port}", tight.mtu, patient.place(inner))])]
}
