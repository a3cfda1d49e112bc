//! The map for people: a block for each namespace, the ports of a bridge below it.

use crate::netlink::links::Link;
use crate::netlink::sockets::Listener;
use crate::survey::Survey;
use crate::survey::find::Process;
use crate::survey::space::Space;
use crate::survey::wiring::End;
use chain::text::{escape, show};
use std::collections::BTreeSet;
use std::net::SocketAddr;

/// As many processes of a namespace as a line has room for.
const PROCESSES: usize = 5;

/// The lines.
pub fn lines(survey: &Survey) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, space) in survey.spaces.iter().enumerate() {
        if index > 0 {
            lines.push(String::new());
        }
        lines.push(head(space));
        lines.extend(space.trouble.iter().map(|trouble| format!("  {}", escape(trouble))));
        lines.extend(interfaces(survey, index));
        lines.extend(ways(space));
        lines.extend(listens(space));
        lines.extend(space.published.iter().map(|port| match survey.holder(port.to.ip(), &[]) {
            Some(end) => format!("  publishes {port} ({})", escape(&survey.place(end))),
            None => format!("  publishes {port}"),
        }));
    }
    lines
}

fn head(space: &Space) -> String {
    let mut names: Vec<String> = space.names.iter().map(|name| escape(name)).collect();
    names.extend(space.files.iter().map(show));
    if space.is_own {
        names.insert(0, ".".to_owned());
    }
    if names.is_empty() {
        names.push("(no name)".to_owned());
    }
    let processes = processes(&space.processes);
    format!("{}: namespace {}{processes}", names.join(" = "), space.inode)
}

fn processes(all: &[Process]) -> String {
    let mut some: Vec<String> = all
        .iter()
        .take(PROCESSES)
        .map(|process| format!("{} {}", process.pid, escape(&process.command)))
        .collect();
    if all.len() > PROCESSES {
        some.push(format!("{} more", all.len() - PROCESSES));
    }
    if some.is_empty() { ", no process".to_owned() } else { format!(", processes {}", some.join(", ")) }
}

/// Those in no bridge in the order of their numbers, each bridge with its ports after it.
fn interfaces(survey: &Survey, space: usize) -> Vec<String> {
    let links = &survey.spaces[space].links;
    let width = links.iter().map(|link| link.name.chars().count()).max().unwrap_or(0) + 2;
    let is_here = |index: Option<u32>| index.is_some_and(|index| survey.spaces[space].link(index).is_some());
    let mut lines = Vec::new();
    for link in links.iter().filter(|link| !is_here(link.master)) {
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
    words.extend(peer(survey, End { space, index: link.index }, link));
    words.extend(survey.spaces[space].told_addresses(link.index));
    words.push(format!("mtu {}", link.mtu));
    words.extend(state(link).map(str::to_owned));
    words.extend(link.alias.as_ref().map(|alias| show(escape(alias))));
    words.join(" ")
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
