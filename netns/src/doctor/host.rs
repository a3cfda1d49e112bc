//! Whether the namespace behind the bridge passes packets on: sysctls, and rules of whoever is there.

use super::Found;
use super::patient::{Outside, Patient, is_global};
use crate::netlink::links::Link;
use crate::netlink::ruleset::Chain;
use crate::survey::reading::{Reading, Verdict};
use nix::libc::{NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6};

/// `NF_INET_FORWARD` of linux/netfilter.h.
const FORWARD: u32 = 2;
/// `accept`, in a file of /proc/sys/net.
const ON: &str = "1";

/// The kernel does not pass packets from one interface to the other.
pub fn forwarding(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let family = |is_v4: bool| {
        let uplink = outside.uplink(is_v4).filter(|_| has_way(patient, is_v4))?;
        let settings = if is_v4 { v4_settings(outside, uplink) } else { v6_settings(outside, uplink) };
        let off: Vec<String> =
            settings.into_iter().filter(|path| outside.setting(path).as_deref() != Some(ON)).collect();
        let name = if is_v4 { "IPv4" } else { "IPv6" };
        let assigned: Vec<String> = off.iter().map(|path| format!("{path}=1")).collect();
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

/// The table of the network, which holds what isolates it and what its ports lead to, is gone.
pub fn table(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(network) = missing_table(outside) else { return Vec::new() };
    let message = format!("the rules of the network {network}, table inet netns-{network}, are gone");
    vec![(message, vec![outside.command(&format!("netns net repair {network}"))])]
}

/// The network whose table is gone, as after `nft flush ruleset`.
fn missing_table<'a>(outside: &Outside<'a>) -> Option<&'a str> {
    let is_of = |network: &str| {
        let mut tables = outside.facts.tables.iter();
        tables.any(|table| table.name.strip_prefix("netns-") == Some(network))
    };
    outside.network().filter(|network| !is_of(network))
}

/// Packets leave with an address that nobody outside can answer.
pub fn masquerade(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(uplink) = outside.uplink(true) else { return Vec::new() };
    let mut own = patient.space.addresses_of(outside.inner.index).map(|address| address.cidr);
    let Some(own) = own.find(|cidr| matches!(cidr.ip, std::net::IpAddr::V4(ip) if ip.is_private())) else {
        return Vec::new();
    };
    if missing_table(outside).is_some()
        || outside.facts.has_old_rules
        || outside.facts.rules.iter().any(|(_, rule)| rule.masquerades)
    {
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
    vec![(message, vec![outside.command(&format!("nft '{rules}'"))])]
}

/// Chains at the forward hook that drop what they do not know, and do not know the bridge.
fn closed_chains<'p>(patient: &'p Patient<'_>) -> Vec<&'p Chain> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let facts = &outside.facts;
    let own: Vec<i32> = families(patient);
    facts
        .chains
        .iter()
        .filter(|chain| chain.hook == Some(FORWARD) && own.contains(&i32::from(chain.family)))
        .filter(|chain| chain.drops || ends_in_drop(outside, chain))
        .filter(|chain| !lets_through(outside, chain))
        .collect()
}

fn families(patient: &Patient<'_>) -> Vec<i32> {
    let has = |is_v4: bool| {
        patient.space.addresses.iter().any(|own| is_global(own.cidr.ip) && own.cidr.ip.is_ipv4() == is_v4)
    };
    let all = [(NFPROTO_INET, true), (NFPROTO_IPV4, has(true)), (NFPROTO_IPV6, has(false))];
    all.into_iter().filter(|(_, is_in)| *is_in).map(|(family, _)| family).collect()
}

fn ends_in_drop(outside: &Outside<'_>, chain: &Chain) -> bool {
    let own = |(place, _): &&((u8, String, String), Reading)| {
        *place == (chain.family, chain.table.clone(), chain.name.clone())
    };
    let drop = Reading { verdict: Some(Verdict::Drop), ..Reading::default() };
    outside.facts.rules.iter().rfind(own).is_some_and(|(_, last)| *last == drop)
}

/// Some chain of the table accepts what comes from the bridge, and what goes to it.
fn lets_through(outside: &Outside<'_>, chain: &Chain) -> bool {
    let name = Some(outside.near().name.as_str());
    let accepts = |wanted: fn(&Reading) -> Option<&str>| {
        outside.facts.rules.iter().any(|((family, table, _), rule)| {
            (*family, table) == (chain.family, &chain.table)
                && rule.verdict == Some(Verdict::Accept)
                && wanted(rule) == name
        })
    };
    accepts(|rule| rule.incoming.as_deref()) && accepts(|rule| rule.outgoing.as_deref())
}

/// A firewall drops what it does not know; what another table accepts does not change that.
pub fn firewall(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let found = |chain: &Chain| {
        let Chain { table, name, .. } = chain;
        let near = &outside.near().name;
        let message = format!(
            "chain {name} of table {} {table} drops what goes to and comes from {near}",
            family(chain.family)
        );
        let is_owned =
            outside.facts.tables.iter().any(|t| t.is_owned && (t.family, &t.name) == (chain.family, table));
        (message, if is_owned { ask_owner(outside, near) } else { insert(outside, chain, near) })
    };
    closed_chains(patient).into_iter().map(found).collect()
}

/// In front of all other rules of the chain.
fn insert(outside: &Outside<'_>, chain: &Chain, near: &str) -> Vec<String> {
    let rule = |direction| {
        let Chain { table, name, .. } = chain;
        let family = family(chain.family);
        outside.command(&format!("nft insert rule {family} {table} {name} {direction} {near} accept"))
    };
    vec![rule("iifname"), rule("oifname")]
}

/// Nobody but the process that holds a table can change it.
fn ask_owner(outside: &Outside<'_>, near: &str) -> Vec<String> {
    vec![outside.command(&format!("firewall-cmd --zone=trusted --add-interface={near}"))]
}

fn family(number: u8) -> &'static str {
    match i32::from(number) {
        NFPROTO_IPV4 => "ip",
        NFPROTO_IPV6 => "ip6",
        _ => "inet",
    }
}

/// What stays within the bridge goes through the firewall too.
pub fn br_netfilter(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(bridge) = outside.bridge else { return Vec::new() };
    let setting = "net/bridge/bridge-nf-call-iptables";
    if closed_chains(patient).is_empty() || outside.setting(setting).as_deref() != Some(ON) {
        return Vec::new();
    }
    let message =
        format!("br_netfilter has the firewall drop what goes from one port of {} to another", bridge.name);
    vec![(message, vec![outside.command(&format!("sysctl -w {setting}=0"))])]
}

/// The kernel takes packets for forged, because it would send answers by another interface.
pub fn rp_filter(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
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
            (message, vec![outside.command(&format!("sysctl -w {path}=2"))])
        })
        .collect()
}
