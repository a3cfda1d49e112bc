//! The map for people: a block for each namespace, the ports of a bridge below it. What is as it always is, such as a
//! loopback interface that is up, is left out.

use crate::netlink::links::Link;
use crate::netlink::sockets::Listener;
use crate::network::Network;
use crate::network::label::PortLabel;
use crate::survey::Survey;
use crate::survey::find::Process;
use crate::survey::space::Space;
use crate::survey::wiring::End;
use chain::text::{escape, show};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// What a line of a terminal surely has room for.
const WIDTH: usize = 80;
/// The largest packet that needs no word: that of Ethernet.
const MTU: u32 = 1500;
/// What every loopback interface has.
const OF_LOOPBACK: [&str; 2] = ["127.0.0.1/8", "::1/128"];

/// The lines.
pub fn lines(survey: &Survey) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, space) in survey.spaces.iter().enumerate() {
        if index > 0 {
            lines.push(String::new());
        }
        lines.push(head(survey, index));
        lines.extend(space.trouble.iter().map(|trouble| format!("  {}", escape(trouble))));
        lines.extend(interfaces(survey, index));
        lines.extend(ways(space));
        lines.extend(listens(space));
        lines.extend(survey.published(index).map(|(port, to)| match to {
            Some(end) => format!("  publishes {port} ({})", escape(&survey.place(end))),
            None => format!("  publishes {port}"),
        }));
    }
    lines
}

fn head(survey: &Survey, index: usize) -> String {
    let space = &survey.spaces[index];
    let mut names: Vec<String> = space.names.iter().map(|name| escape(name)).collect();
    names.extend(space.files.iter().map(show));
    if space.is_own {
        names.insert(0, ".".to_owned());
    }
    if names.is_empty() {
        names.push(space.label());
    }
    let called: Vec<String> =
        survey.memberships(index).iter().filter_map(|member| member.told(&space.names)).collect();
    let called = if called.is_empty() { String::new() } else { format!(" ({})", called.join(", ")) };
    let head = format!("{}{called}: namespace {}", names.join(" = "), space.inode);
    match space.processes.as_slice() {
        [] => format!("{head}, no process"),
        [one] => format!("{head}, process {}", process(one)),
        [first, others @ ..] => with_processes(format!("{head}, processes {}", process(first)), others),
    }
}

/// As many as the line has room for, and how many more there are.
fn with_processes(mut line: String, mut others: &[Process]) -> String {
    while let [next, rest @ ..] = others {
        let next = format!(", {}", process(next));
        let more = format!(", {} more", others.len());
        let after = if rest.is_empty() { 0 } else { more.len() };
        if line.len() + next.len() + after > WIDTH {
            return line + &more;
        }
        line += &next;
        others = rest;
    }
    line
}

fn process(process: &Process) -> String {
    format!("{} {}", process.pid, escape(&process.command))
}

/// Those in no bridge in the order of their numbers, each bridge with its ports after it.
fn interfaces(survey: &Survey, space: usize) -> Vec<String> {
    let links = &survey.spaces[space].links;
    let width = links.iter().map(|link| link.name.chars().count()).max().unwrap_or(0) + 2;
    let is_here = |index: Option<u32>| index.is_some_and(|index| survey.spaces[space].link(index).is_some());
    let mut lines = Vec::new();
    let is_told = |link: &&Link| !is_here(link.master) && !is_usual_loopback(&survey.spaces[space], link);
    for link in links.iter().filter(is_told) {
        lines.push(interface(survey, space, link, "  ", width));
        let ports = links.iter().filter(|port| port.master == Some(link.index) && port.index != link.index);
        lines.extend(ports.map(|port| interface(survey, space, port, "    ", width - 2)));
    }
    lines
}

fn interface(survey: &Survey, space: usize, link: &Link, indent: &str, width: usize) -> String {
    let name = escape(&link.name);
    let mut words = vec![format!("{indent}{name:width$}")];
    words.extend((!link.kind.is_empty()).then(|| link.kind.clone()));
    words.extend(Network::of(link).map(|network| of_network(&network)));
    words.extend(peer(survey, End { space, index: link.index }, link));
    words.extend(survey.spaces[space].told_addresses(link.index));
    words.extend((link.mtu != MTU && !link.is_loopback).then(|| format!("mtu {}", link.mtu)));
    words.extend(state(link).map(str::to_owned));
    words.extend(link.alias.as_ref().filter(|alias| !is_label(link, alias)).map(|alias| show(escape(alias))));
    words.join(" ")
}

fn of_network(network: &Network) -> String {
    let words = [(network.label.is_internal, ", internal"), (network.label.is_isolated, ", no-icc")];
    let words: String = words.into_iter().filter_map(|(is_so, word)| is_so.then_some(word)).collect();
    format!("of network {}{words}", network.name)
}

/// Whether netns has written it, for a host of a network: the rest of the map tells the same.
fn is_label(link: &Link, alias: &str) -> bool {
    Network::of(link).is_some() || link.kind == "veth" && PortLabel::read(alias).is_some()
}

/// Up, and with the addresses that it always has.
fn is_usual_loopback(space: &Space, link: &Link) -> bool {
    let mut addresses = space.told_addresses(link.index);
    link.is_loopback && link.is_up && addresses.all(|address| OF_LOOPBACK.contains(&address.as_str()))
}

fn peer(survey: &Survey, end: End, link: &Link) -> Option<String> {
    match (survey.wiring.peer(end), link.peer, link.peer_nsid) {
        (Some(other), _, _) if other != end => Some(format!("-> {}", escape(&survey.place(other)))),
        (None, Some(index), Some(id)) => {
            Some(format!("-> number {index} of namespace id {id}, not seen from here"))
        }
        _ => None,
    }
}

fn state(link: &Link) -> Option<&'static str> {
    match (link.is_up, link.has_carrier) {
        (false, _) => Some("down"),
        (true, false) => Some("no carrier"),
        _ => None,
    }
}

/// Those that lead to a router: the others follow from the addresses.
fn ways(space: &Space) -> Vec<String> {
    let line = |via: &crate::netlink::routes::Way| {
        let name =
            via.index.and_then(|index| space.link(index)).map(|link| format!(" dev {}", escape(&link.name)));
        format!("  route {via}{}", name.unwrap_or_default())
    };
    space.ways.iter().filter(|way| way.via.is_some()).map(line).collect()
}

/// One line for all ports on which something listens.
fn listens(space: &Space) -> Option<String> {
    let words: BTreeSet<(u16, String)> = space.listeners.iter().map(word).collect();
    let words: Vec<String> = words.into_iter().map(|(_, word)| word).collect();
    (!words.is_empty()).then(|| format!("  listens {}", words.join(" ")))
}

fn word(Listener { protocol, at, .. }: &Listener) -> (u16, String) {
    let word = match at {
        _ if at.ip().is_unspecified() => format!("{}/{protocol}", at.port()),
        SocketAddr::V6(at) => format!("{at}/{protocol}"),
        SocketAddr::V4(at) => format!("{at}/{protocol}"),
    };
    (at.port(), word)
}
