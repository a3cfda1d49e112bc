//! `cgctl ls`: which groups are there, and what is in them.

use crate::cli::Where;
use crate::existing::{Group, freezer};
use crate::group::{lock, mark};
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::branches::Branches;
use crate::view::listing::{self, Groups, Which};
use crate::view::population::comm;
use chain::Result;
use chain::text::{escape, show};
use serde_json::json;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// List groups as a tree, with the processes in each
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Those without a name too
    #[arg(short, long)]
    all: bool,

    /// Tell of each group as a JSON object on a line of its own
    #[arg(long)]
    json: bool,

    /// Only these groups and what is inside them
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
}

/// Prints the tree, or an object for each group.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let groups = groups(options, &all)?;
    let text = if options.json { json(&groups) } else { tree(&groups) };
    verbs::print(text.as_bytes())?;
    Ok(0)
}

fn groups(options: &Options, all: &Hierarchies) -> Result<Groups> {
    let parent = options.place.parent()?;
    if options.names.is_empty() {
        return Ok(listing::below(&parent, if options.all { Which::All } else { Which::Named }, all));
    }
    let mut groups = Groups::new();
    for name in &options.names {
        let path = PathBuf::from(name).components().collect::<PathBuf>();
        groups.extend(listing::inside(&path, &Group::find(name, &parent, all)?, all));
    }
    Ok(groups)
}

fn json(groups: &Groups) -> String {
    let object = |group: &Group| {
        let directories = group.parts.iter().map(|part| part.directory.path.to_string_lossy());
        let processes = group.members().into_iter().filter(|pid| *pid > 0);
        json!({
            "group": group.name,
            "stays": mark::stays(group.tracking()),
            "owner": owner(group),
            "frozen": freezer::is_frozen(group),
            "processes": processes.map(|pid| json!({ "pid": pid, "comm": comm(pid) })).collect::<Vec<_>>(),
            "directories": directories.collect::<Vec<_>>(),
        })
    };
    groups.values().map(|group| format!("{}\n", object(group))).collect()
}

/// The cgctl that waits for its command in the group.
fn owner(group: &Group) -> Option<i32> {
    lock::holders(group.tracking()).into_iter().find(|pid| *pid > 0)
}

/// Each group under the nearest one around it that is listed, its processes before the groups inside it.
fn tree(groups: &Groups) -> String {
    let mut below: BTreeMap<Option<PathBuf>, Vec<PathBuf>> = BTreeMap::new();
    for name in groups.keys() {
        let around = name.ancestors().skip(1).find(|around| groups.contains_key(*around));
        below.entry(around.map(PathBuf::from)).or_default().push(name.clone());
    }
    let mut text = String::new();
    for top in below.get(&None).into_iter().flatten() {
        text += &format!("{}\n", line(&groups[top], &show(top)));
        add(top, groups, &below, &Branches::new(), &mut text);
    }
    text
}

fn add(
    name: &PathBuf,
    groups: &Groups,
    below: &BTreeMap<Option<PathBuf>, Vec<PathBuf>>,
    branches: &Branches,
    text: &mut String,
) {
    let processes: Vec<i32> = groups[name].members().into_iter().filter(|pid| *pid > 0).collect();
    let inside = below.get(&Some(name.clone())).map(Vec::as_slice).unwrap_or_default();
    let mut left = processes.len() + inside.len();
    for pid in processes {
        left -= 1;
        let name = comm(pid).unwrap_or_default();
        *text += &format!("{}{pid} {}\n", branches.start(left == 0), escape(&name));
    }
    for child in inside {
        left -= 1;
        let shown = show(child.strip_prefix(name).unwrap_or(child));
        *text += &format!("{}{}\n", branches.start(left == 0), line(&groups[child], &shown));
        add(child, groups, below, &branches.inside(left == 0), text);
    }
}

fn line(group: &Group, name: &str) -> String {
    let owner = owner(group).map(|pid| format!("  in use by cgctl {pid}"));
    let frozen = freezer::is_frozen(group).then(|| "  frozen".to_owned());
    [Some(name.to_owned()), owner, frozen].into_iter().flatten().collect()
}
