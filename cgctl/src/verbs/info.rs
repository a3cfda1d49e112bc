//! `cgctl info`: what there is to work with, and what is missing.

use crate::hierarchy::place::{self, Kind};
use crate::hierarchy::usable::{self, Gap, Start};
use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::verbs::{print, table};
use chain::Result;
use chain::text::escape;

/// Show which hierarchies are mounted, what they can limit, where groups are made, and what is missing
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Tell it as one JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the mode, for each hierarchy its mount, controllers, own group and the directory of groups, and then what
/// cannot be had and how it could.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let gaps = usable::gaps(&all);
    let text = if options.json { json(&all, &gaps) } else { text(&all, &gaps) };
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

/// Where groups with a name are made by this user; where they would be, when nowhere.
fn base(hierarchy: &Hierarchy, all: &Hierarchies) -> Option<String> {
    let places = place::places(hierarchy, all, Kind::Named);
    let place = match usable::start(hierarchy, all) {
        Start::Own => places.last(),
        _ => places.first(),
    };
    place.map(|place| format!("/{}", place.relative().display()))
}

fn text(all: &Hierarchies, gaps: &[Gap]) -> String {
    let header = ["VERSION", "MOUNT", "OWN GROUP", "NAMED GROUPS IN", "MAY MAKE", "CONTROLLERS"];
    let header = header.map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> =
        std::iter::once(header).chain(all.0.iter().map(|one| row(one, all))).collect();
    let mut text = format!("mode: {}\n{}", mode(all), table(&rows));
    if let Some(outer) = all.outer() {
        text += &format!("inside: /{}\n", escape(&outer.to_string_lossy()));
    }
    for (what, gap) in together(gaps) {
        text += &format!("missing: {}: {}\n", escape(&what.join(", ")), gap.why);
        text += &gap.cure.as_ref().map(|cure| format!("  cure: {cure}\n")).unwrap_or_default();
    }
    text
}

/// What is missing for the same reason, with the first of each.
fn together(gaps: &[Gap]) -> Vec<(Vec<&str>, &Gap)> {
    let mut found: Vec<(Vec<&str>, &Gap)> = Vec::new();
    for gap in gaps {
        match found.iter_mut().find(|(_, first)| (&first.why, &first.cure) == (&gap.why, &gap.cure)) {
            Some((names, _)) => names.push(&gap.what),
            None => found.push((vec![&gap.what], gap)),
        }
    }
    found
}

fn row(hierarchy: &Hierarchy, all: &Hierarchies) -> Vec<String> {
    let or_unknown = |group: Option<String>| group.unwrap_or("unknown".to_owned());
    let controllers =
        if hierarchy.controllers.is_empty() { "none".to_owned() } else { hierarchy.controllers.join(" ") };
    vec![
        version(hierarchy).to_owned(),
        hierarchy.mount.display().to_string(),
        or_unknown(own(hierarchy)),
        or_unknown(base(hierarchy, all)),
        usable::start(hierarchy, all).word().to_owned(),
        controllers,
    ]
}

fn json(all: &Hierarchies, gaps: &[Gap]) -> String {
    let hierarchies: Vec<serde_json::Value> = all
        .0
        .iter()
        .map(|hierarchy| {
            serde_json::json!({
                "version": if hierarchy.version == Version::V1 { 1 } else { 2 },
                "mount": hierarchy.mount.to_string_lossy(),
                "controllers": hierarchy.controllers,
                "usable": usable::controllers(hierarchy, all),
                "own": own(hierarchy),
                "groups": base(hierarchy, all),
                "may_make": usable::start(hierarchy, all) != Start::Nowhere,
            })
        })
        .collect();
    let missing: Vec<serde_json::Value> = gaps
        .iter()
        .map(|gap| serde_json::json!({ "what": gap.what, "why": gap.why, "cure": gap.cure }))
        .collect();
    let object = serde_json::json!({
        "mode": mode(all),
        "inside": all.outer().map(|outer| format!("/{}", outer.display())),
        "hierarchies": hierarchies,
        "missing": missing,
    });
    format!("{object}\n")
}
