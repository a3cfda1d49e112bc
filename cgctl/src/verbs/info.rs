//! `cgctl info`: what there is to work with.

use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::place::{self, Kind};
use crate::verbs::print;
use chain::Result;
use std::fmt::Write as _;

/// Show which hierarchies are mounted, what they can limit, and where groups are made
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Tell it as one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the mode, and for each hierarchy its mount, controllers, own group and the directory of groups.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let text = if options.json { json(&all) } else { text(&all) };
    print(text.as_bytes())?;
    Ok(0)
}

fn mode(all: &Hierarchies) -> &'static str {
    let any = |version| all.0.iter().any(|hierarchy| hierarchy.version == version);
    match (any(Version::V1), any(Version::V2)) {
        (false, false) => "none",
        (true, false) => "v1",
        (false, true) => "v2",
        (true, true) => "hybrid",
    }
}

fn version(hierarchy: &Hierarchy) -> &'static str {
    if hierarchy.version == Version::V1 { "v1" } else { "v2" }
}

fn own(hierarchy: &Hierarchy) -> Option<String> {
    hierarchy.own.as_ref().map(|own| format!("/{}", own.display()))
}

fn base(hierarchy: &Hierarchy, all: &Hierarchies) -> Option<String> {
    place::places(hierarchy, all, Kind::Named).first().map(|place| format!("/{}", place.relative().display()))
}

fn text(all: &Hierarchies) -> String {
    let header = ["VERSION", "MOUNT", "OWN GROUP", "NAMED GROUPS IN", "CONTROLLERS"].map(str::to_owned);
    let rows: Vec<[String; 5]> =
        std::iter::once(header).chain(all.0.iter().map(|one| row(one, all))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut text = format!("mode: {}\n", mode(all));
    for [version, mount, own, groups, controllers] in &rows {
        let [a, b, c, d] = widths[..] else { break };
        let _ = writeln!(text, "{version:a$}  {mount:b$}  {own:c$}  {groups:d$}  {controllers}");
    }
    text
}

fn row(hierarchy: &Hierarchy, all: &Hierarchies) -> [String; 5] {
    let or_unknown = |group: Option<String>| group.unwrap_or("unknown".to_owned());
    let controllers =
        if hierarchy.controllers.is_empty() { "none".to_owned() } else { hierarchy.controllers.join(" ") };
    let mount = hierarchy.mount.display().to_string();
    [
        version(hierarchy).to_owned(),
        mount,
        or_unknown(own(hierarchy)),
        or_unknown(base(hierarchy, all)),
        controllers,
    ]
    .map(|cell| chain::text::escape(&cell))
}

fn json(all: &Hierarchies) -> String {
    let hierarchies: Vec<serde_json::Value> = all
        .0
        .iter()
        .map(|hierarchy| {
            serde_json::json!({
                "version": if hierarchy.version == Version::V1 { 1 } else { 2 },
                "mount": hierarchy.mount.to_string_lossy(),
                "controllers": hierarchy.controllers,
                "own": own(hierarchy),
                "groups": base(hierarchy, all),
            })
        })
        .collect();
    format!("{}\n", serde_json::json!({ "mode": mode(all), "hierarchies": hierarchies }))
}
