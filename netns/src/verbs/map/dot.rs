//! The map as a drawing: a box for each namespace, a node for each interface, a line for each connection.

use crate::netlink::links::Link;
use crate::survey::Survey;
use crate::survey::published::Published;
use crate::survey::space::Space;
use crate::survey::wiring::End;
use chain::text::escape;
use std::iter::once;

/// The lines of a graph in the language of dot(1).
pub fn lines(survey: &Survey) -> Vec<String> {
    let mut lines = vec!["graph netns {".to_owned(), "  node [shape=box]".to_owned()];
    for (index, space) in survey.spaces.iter().enumerate() {
        lines.push(format!("  subgraph cluster_{} {{", space.inode));
        lines.push(format!("    label={}", quote(&title(survey, index))));
        lines.extend(space.links.iter().map(|link| node(space, link)));
        lines.extend(space.links.iter().filter_map(|link| port(space, link)));
        lines.push("  }".to_owned());
        lines.extend(space.links.iter().filter_map(|link| pair(survey, index, link)));
    }
    lines.extend((0..survey.spaces.len()).flat_map(|space| publishes(survey, space)));
    lines.push("}".to_owned());
    lines
}

fn title(survey: &Survey, index: usize) -> String {
    let space = &survey.spaces[index];
    let commands: Vec<&str> =
        space.processes.iter().take(3).map(|process| process.command.as_str()).collect();
    let names = if space.names.is_empty() { space.label() } else { space.names.join(" = ") };
    let called = survey.memberships(index);
    let called = called.iter().filter_map(|member| member.told(&space.names));
    let lines = once(names).chain(called).chain(once(commands.join(" ")));
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn node(space: &Space, link: &Link) -> String {
    let mut label = vec![link.name.clone()];
    label.extend(space.told_addresses(link.index));
    let style = if link.is_up { "" } else { ", style=dashed" };
    format!("    {} [label={}{style}]", id(space, link.index), quote(&label.join("\n")))
}

fn port(space: &Space, link: &Link) -> Option<String> {
    let bridge = space.link(link.master?)?;
    Some(format!("    {} -- {}", id(space, bridge.index), id(space, link.index)))
}

/// A pair is drawn once, from its first end.
fn pair(survey: &Survey, space: usize, link: &Link) -> Option<String> {
    let end = End { space, index: link.index };
    let other = survey.wiring.peer(end)?;
    let is_first = end < other || survey.wiring.peer(other) != Some(end);
    let to = id(&survey.spaces[other.space], other.index);
    is_first.then(|| format!("  {} -- {to} [style=bold]", id(&survey.spaces[space], link.index)))
}

fn publishes(survey: &Survey, space: usize) -> Vec<String> {
    let edge = |(number, (port, to)): (usize, (&Published, Option<End>))| {
        let end = to?;
        let node = format!("p{}_{number}", survey.spaces[space].inode);
        let to = id(&survey.spaces[end.space], end.index);
        let label = quote(&port.to_string());
        Some(format!("  {node} [label={label}, shape=ellipse]; {node} -- {to} [style=dotted]"))
    };
    survey.published(space).enumerate().filter_map(edge).collect()
}

fn id(space: &Space, index: u32) -> String {
    format!("n{}_{index}", space.inode)
}

/// A string of dot: the line ends that are meant, then quotes and backslashes as themselves.
fn quote(text: &str) -> String {
    let lines = text.split('\n').map(|line| escape(line).replace('\\', "\\\\").replace('"', "\\\""));
    format!("\"{}\"", lines.collect::<Vec<_>>().join("\\n"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_name_ends_a_string() {
        assert_eq!(super::quote("a\"b\\\nc\u{1b}"), r#""a\"b\\\nc\\x1b""#);
    }
}
