//! Whether the namespace behind the bridge passes packets on: sysctls, and rules of whoever is there.

use super::Found;
use super::patient::{Outside, Patient, is_global};
use crate::attach::bare;
use crate::firewall::wall::{Keeper, Wall};
use crate::netlink::links::Link;
use crate::network::Network;
use crate::network::guard::Confinement;
use crate::network::label::PortLabel;
use crate::nft::{BRIDGE, INET};
use crate::published::Published;
use chain::text::show;
use std::collections::HashSet;

/// `accept`, in a file of /proc/sys/net.
const ON: &str = "1";

/// The kernel does not pass packets from one interface to the other.
pub fn forwarding(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.attached() else { return Vec::new() };
    let family = |is_v4: bool| {
        let uplink = outside.uplink(is_v4).filter(|_| has_way(patient, is_v4))?;
        let settings = if is_v4 { v4_settings(outside, uplink) } else { v6_settings(outside, uplink) };
        let off: Vec<String> =
            settings.into_iter().filter(|path| outside.setting(path).as_deref() != Some(ON)).collect();
        let name = if is_v4 { "IPv4" } else { "IPv6" };
        let assigned: Vec<String> = off.iter().map(|path| show(format!("{path}=1"))).collect();
        let message = format!(
            "packets of {name} are not forwarded between {} and {}",
            outside.place(patient.survey, outside.near()),
            outside.place(patient.survey, uplink)
        );
        (!off.is_empty())
            .then(|| (message, vec![outside.command(&format!("sysctl -w {}", assigned.join(" ")))]))
    };
    [true, false].into_iter().filter_map(family).collect()
}

/// It has an address and a default route of the family.
fn has_way(patient: &Patient<'_>, is_v4: bool) -> bool {
    patient.defaults().any(|way| way.to.ip.is_ipv4() == is_v4)
        && patient.space.addresses.iter().any(|own| own.cidr.ip.is_ipv4() == is_v4 && is_global(own.cidr.ip))
}

fn v4_settings(outside: &Outside<'_>, uplink: &Link) -> Vec<String> {
    [outside.near(), uplink].map(|link| format!("net/ipv4/conf/{}/forwarding", link.name)).into()
}

/// Where the kernel can force it for an interface, the host keeps taking router advertisements.
fn v6_settings(outside: &Outside<'_>, uplink: &Link) -> Vec<String> {
    let all = "net/ipv6/conf/all/forwarding".to_owned();
    let forced = [outside.near(), uplink].map(|link| format!("net/ipv6/conf/{}/force_forwarding", link.name));
    match outside.setting(&all).as_deref() {
        Some(ON) => Vec::new(),
        _ if outside.setting(&forced[0]).is_some() => forced.into(),
        _ => vec![all],
    }
}

/// The tables of the network, which hold what isolates it and what its ports lead to, are gone, or a port is.
pub fn table(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(network) = outside.network() else { return Vec::new() };
    let (name, table) = (&network.name, network.name.table());
    let mut messages: Vec<String> = missing_tables(outside, &network)
        .map(|(_, family)| format!("the rules of the network {name}, table {family} {table}, are gone"))
        .collect();
    if messages.is_empty() {
        let missing = missing_ports(outside, &network);
        messages.extend(
            missing.iter().map(|port| format!("table inet {table} has nothing of its published port {port}")),
        );
    }
    let cure = outside.command(&format!("netns net repair {name}"));
    messages.into_iter().map(|message| (message, vec![cure.clone()])).collect()
}

/// Published ports that its interface at the bridge is labelled with, and that no rule leads to it.
fn missing_ports(outside: &Outside<'_>, network: &Network) -> Vec<Published> {
    let Some(number) = network.host_number(&outside.port.name) else { return Vec::new() };
    let own = bare(network.addresses(number));
    let to_it = outside.space.published.iter().filter(|port| own.contains(&port.to.ip()));
    let there: HashSet<_> =
        to_it.map(|port| (port.protocol, port.to.is_ipv4(), port.address, port.port)).collect();
    let is_missing = |port: &Published| {
        let (is_v4, at) = (port.address.is_ipv4(), Some(port.address).filter(|ip| !ip.is_unspecified()));
        !port.is_proxied && port.pairs().any(|(host, _)| !there.contains(&(port.protocol, is_v4, at, host)))
    };
    let label = outside.port.alias.as_deref().and_then(PortLabel::read).unwrap_or_default();
    label.ports.iter().filter_map(|port| port.parse().ok()).filter(is_missing).collect()
}

/// Those that are gone, as after `nft flush ruleset`; the second one is there for hosts that need it.
fn missing_tables(outside: &Outside<'_>, network: &Network) -> impl Iterator<Item = (u8, &'static str)> {
    let is_confined = Confinement::of(network, outside.port.group).is_any();
    let needed = [(INET, "inet", true), (BRIDGE, "bridge", is_confined)];
    let firewalls = &outside.facts.firewalls;
    let table = network.name.table();
    needed
        .into_iter()
        .filter(move |(family, _, is_needed)| *is_needed && !firewalls.has_table(*family, &table))
        .map(|(family, name, _)| (family, name))
}

/// Packets leave with an address that nobody outside can answer.
pub fn masquerade(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.attached() else { return Vec::new() };
    let Some(uplink) = outside.uplink(true) else { return Vec::new() };
    let mut own = patient.space.addresses_of(outside.inner.index).map(|address| address.cidr);
    let Some(own) = own.find(|cidr| matches!(cidr.ip, std::net::IpAddr::V4(ip) if ip.is_private())) else {
        return Vec::new();
    };
    let is_told = outside.network().is_some_and(|network| missing_tables(outside, &network).next().is_some());
    if is_told || outside.facts.firewalls.may_masquerade() {
        return Vec::new();
    }
    let network = format!("{}/{}", own.network(), own.prefix);
    let rules = format!(
        "table ip netns_masquerade {{ chain post {{ type nat hook postrouting priority 100; \
         ip saddr {network} oifname \"{}\" masquerade; }}; }}",
        uplink.name
    );
    let place = outside.place(patient.survey, uplink);
    let message = format!("packets leave by {place} as {}, which nobody there can answer", own.ip);
    let cure = match outside.network() {
        Some(network) => format!("netns net repair {}", network.name),
        None => format!("nft {}", show(rules)),
    };
    vec![(message, vec![outside.command(&cure)])]
}

/// What drops packets of the families that the namespace speaks.
fn walls(patient: &Patient<'_>, outside: &Outside<'_>) -> Vec<Wall> {
    let has = |is_v4: bool| {
        patient.space.addresses.iter().any(|own| is_global(own.cidr.ip) && own.cidr.ip.is_ipv4() == is_v4)
    };
    outside.facts.firewalls.against(&outside.near().name, (has(true), has(false)))
}

/// A firewall drops what it does not know; what another table accepts does not change that.
pub fn firewall(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.attached() else { return Vec::new() };
    let near = &outside.near().name;
    let walls = walls(patient, outside);
    let opened = outside.network().filter(|network| network.label.is_open);
    let cures = |wall: &Wall| match (&opened, wall.keeper) {
        // What netns has put there itself, and somebody has taken away.
        (Some(network), Keeper::Anybody) => vec![format!("netns net repair {}", network.name)],
        _ => wall.cures(near),
    };
    let found = |wall: &Wall| {
        let lines = cures(wall).iter().map(|line| outside.command(line)).collect();
        (wall.message(near), lines)
    };
    walls.iter().map(found).collect()
}

/// What stays within the bridge goes through the firewall too.
pub fn br_netfilter(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(bridge) = outside.bridge else { return Vec::new() };
    let setting = "net/bridge/bridge-nf-call-iptables";
    if walls(patient, outside).is_empty() || outside.setting(setting).as_deref() != Some(ON) {
        return Vec::new();
    }
    let message =
        format!("br_netfilter has the firewall drop what goes from one port of {} to another", bridge.name);
    vec![(message, vec![outside.command(&format!("sysctl -w {setting}=0"))])]
}

/// The kernel takes packets for forged, because it would send answers by another interface.
pub fn rp_filter(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.attached() else { return Vec::new() };
    let near = outside.near();
    let path = format!("net/ipv4/conf/{}/rp_filter", near.name);
    let value = |path: &str| outside.setting(path).and_then(|value| value.parse::<u8>().ok()).unwrap_or(0);
    // The larger one holds; 1 is strict, 2 asks for any route: ip-sysctl of the kernel's documentation.
    if value(&path).max(value("net/ipv4/conf/all/rp_filter")) != 1 {
        return Vec::new();
    }
    let own = patient.space.addresses_of(outside.inner.index).map(|address| address.cidr.ip);
    let astray = own.filter(|ip| ip.is_ipv4() && is_global(*ip)).filter_map(|ip| {
        let ways = outside.space.ways.iter().filter(|way| way.to.contains(ip));
        let way = ways.max_by_key(|way| way.to.prefix)?;
        let back = outside.space.link(way.index?).filter(|link| link.index != near.index)?;
        Some((ip, back))
    });
    astray
        .map(|(ip, back)| {
            let message = format!(
                "rp_filter drops packets from {ip} that come in by {}, because answers would go by {}",
                near.name, back.name
            );
            (message, vec![outside.command(&format!("sysctl -w {}", show(format!("{path}=2"))))])
        })
        .collect()
}
