//! `netns whoami`: one namespace as the others see it.

use crate::namespace::Which;
use crate::output::print;
use crate::survey::Survey;
use crate::survey::published::Published;
use crate::survey::wiring::End;
use crate::verbs::map::json;
use chain::text::{escape, show};
use chain::{Error, Result};

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// A JSON object: the fields of map, and reached, the ports elsewhere that lead here
    #[arg(long)]
    json: bool,
    /// A name, process or file; without it the one that netns runs in
    #[arg(default_value = ".", hide_default_value = true)]
    netns: Which,
}

/// Prints names, interfaces with their other ends, routes and ports.
pub fn run(options: &Options) -> Result<u8> {
    let survey = Survey::take()?;
    let index = find(&survey, &options.netns)?;
    let lines = match options.json {
        true => vec![object(&survey, index)],
        false => lines(&survey, index),
    };
    print(lines).map(|()| 0)
}

/// The namespace among those that were found; one that only this call holds open is in none of the places.
pub fn find(survey: &Survey, netns: &Which) -> Result<usize> {
    let namespace = netns.open()?;
    let found = survey.spaces.iter().position(|space| Some(space.inode) == namespace.inode());
    found.ok_or_else(|| {
        Error::new(format_args!("look at {netns}"), "it has no name, no file and no process any more")
    })
}

fn lines(survey: &Survey, index: usize) -> Vec<String> {
    let space = &survey.spaces[index];
    let mut lines: Vec<String> = space.names.iter().map(|name| format!("name {}", escape(name))).collect();
    lines.extend(space.files.iter().map(|file| format!("file {}", show(file))));
    lines.extend(
        survey
            .memberships(index)
            .iter()
            .filter_map(|member| member.told(&[]))
            .map(|host| format!("host {host}")),
    );
    lines.push(format!("inode {}", space.inode));
    lines.extend(
        space.processes.iter().map(|process| format!("process {} {}", process.pid, escape(&process.command))),
    );
    lines.extend(space.trouble.iter().map(|trouble| format!("trouble {}", escape(trouble))));
    for link in &space.links {
        let name = escape(&link.name);
        let state = if link.is_up { "up" } else { "down" };
        lines.push(format!("interface {name} {state}"));
        lines.extend(space.told_addresses(link.index).map(|address| format!("address {name} {address}")));
        lines.extend(
            peer(survey, End { space: index, index: link.index }).map(|peer| format!("peer {name} {peer}")),
        );
    }
    lines.extend(space.ways.iter().filter(|way| way.via.is_some()).map(|way| format!("route {way}")));
    lines.extend(
        reached(survey, index)
            .map(|(from, port)| format!("port {port} of {}", escape(&survey.spaces[from].label()))),
    );
    lines
}

/// The other end, and the bridge that it is a port of.
fn peer(survey: &Survey, end: End) -> Option<String> {
    let other = survey.wiring.peer(end).filter(|other| *other != end)?;
    let there = &survey.spaces[other.space];
    let bridge = there.link(other.index).and_then(|link| there.link(link.master?));
    let bridge = bridge.map(|bridge| format!(" of bridge {}", escape(&bridge.name))).unwrap_or_default();
    Some(format!("{}{bridge}", escape(&survey.place(other))))
}

/// The ports of connected namespaces that lead here.
fn reached(survey: &Survey, index: usize) -> impl Iterator<Item = (usize, &Published)> {
    survey.reach(index).into_iter().flat_map(move |from| {
        let here = survey.published(from).filter(move |(_, to)| to.is_some_and(|end| end.space == index));
        here.map(move |(port, _)| (from, port))
    })
}

fn object(survey: &Survey, index: usize) -> String {
    let mut object = json::object(survey, index);
    let reached = reached(survey, index).map(|(from, port)| {
        let mut object = json::port(port);
        object["netns"] = survey.spaces[from].label().into();
        object
    });
    object["reached"] = reached.collect();
    object.to_string()
}
