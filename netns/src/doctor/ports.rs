//! Published ports, and the connections that the kernel follows.

use super::Found;
use super::patient::{Outside, Patient};
use crate::netlink::sockets::{Listener, Protocol};
use crate::nft::flows::Flow;
use crate::survey::published::Published;
use crate::survey::space::Space;
use chain::text::show;
use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;

/// With br_netfilter, what a namespace sends to its own published port must go back out where it came in.
pub fn hairpin(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let Some(port) = patient.published().next().filter(|_| outside.bridge.is_some()) else {
        return Vec::new();
    };
    let filters = outside.setting("net/bridge/bridge-nf-call-iptables").as_deref() == Some("1");
    if outside.port.has_hairpin || !filters {
        return Vec::new();
    }
    let message = format!("it does not reach itself by its published port {}/{}", port.port, port.protocol);
    vec![(
        message,
        vec![outside.command(&format!("bridge link set dev {} hairpin on", show(&outside.port.name)))],
    )]
}

/// A program outside listens on the published port, and gets nothing any more.
pub fn shadowed(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let mut found = Vec::new();
    for port in patient.published() {
        for listener in outside.space.listeners.iter().filter(|listener| is_same(listener, port)) {
            found.push(shadow(outside.space, port, listener));
        }
    }
    found
}

fn is_same(listener: &Listener, port: &Published) -> bool {
    let at = listener.at.ip();
    let meets =
        port.address.is_none_or(|ip| ip == at || at.is_unspecified() && (at.is_ipv6() || ip.is_ipv4()));
    (listener.protocol, listener.at.port()) == (port.protocol, port.port) && meets
}

fn shadow(space: &Space, port: &Published, listener: &Listener) -> Found {
    let at = format!("{}/{}", listener.at, port.protocol);
    match holder(space, listener.inode) {
        Some((pid, command)) => {
            let message =
                format!("{command} (process {pid}) listens on {at}, which {port} takes away from it");
            (message, vec![format!("kill {pid}")])
        }
        None => (format!("something listens on {at}, which {port} takes away from it"), Vec::new()),
    }
}

/// The process that has a socket open, as far as we may look.
fn holder(space: &Space, inode: u32) -> Option<(u32, String)> {
    let socket = format!("socket:[{inode}]");
    let has = |pid: u32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|target| target.as_os_str() == socket.as_str())
    };
    let process = space.processes.iter().find(|process| has(process.pid))?;
    Some((process.pid, process.command.clone()))
}

/// A flow of UDP that was there before the port was published goes on going elsewhere.
pub fn stale_flow(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let mut found = BTreeSet::new();
    for port in patient.published().filter(|port| port.protocol == Protocol::Udp) {
        let stale = outside.facts.flows.iter().filter(|flow| is_stale(outside, flow, port));
        found.extend(stale.map(|flow| (flow.to.ip(), port.port, flow.answers, port.to)));
    }
    found
        .into_iter()
        .map(|(ip, port, old, new)| {
            let message = format!("a flow of UDP to {ip} port {port} still goes to {old}, not to {new}");
            let family = if ip.is_ipv6() { " -f ipv6" } else { "" };
            (
                message,
                vec![
                    outside.command(&format!(
                        "conntrack -D{family} -p udp --orig-dst {ip} --orig-port-dst {port}"
                    )),
                ],
            )
        })
        .collect()
}

fn is_stale(outside: &Outside<'_>, flow: &Flow, port: &Published) -> bool {
    let is_local = |ip: IpAddr| outside.space.addresses.iter().any(|own| own.cidr.ip == ip);
    let is_to = port.address.map_or_else(|| is_local(flow.to.ip()), |ip| ip == flow.to.ip());
    (flow.protocol, flow.to.port()) == (port.protocol, port.port) && is_to && flow.answers != port.to
}

/// So many connections are followed that new ones may find no room.
pub fn conntrack(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let number = |name: &str| {
        let path = format!("net/netfilter/nf_conntrack_{name}");
        outside.setting(&path).and_then(|value| value.parse::<u64>().ok())
    };
    let (Some(count), Some(max)) = (number("count"), number("max")) else { return Vec::new() };
    // From 95 in 100 on; no limit is written as 0.
    if max == 0 || count * 100 < max * 95 {
        return Vec::new();
    }
    let message = format!("{count} connections are followed, of {max} at most: new ones are dropped");
    vec![(message, vec![format!("sysctl -w net/netfilter/nf_conntrack_max={}", max * 2)])]
}
