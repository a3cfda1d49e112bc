//! `cgctl pids`: which processes are in a group.

use crate::cli::Where;
use crate::existing::Group;
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::population::comm;
use chain::Result;
use chain::error::say;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;

/// List the processes of a group
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Those of the groups inside it too
    #[arg(short, long)]
    recursive: bool,

    /// Tell of each as a JSON object on a line of its own
    #[arg(long)]
    json: bool,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,
}

/// Prints their numbers, the lowest first.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = Group::find(&options.name, &options.place.parent()?, &all)?;
    let mut pids = if options.recursive { group.processes() } else { group.members() };
    if pids.remove(&0) {
        say(&format!("{}: there are processes of another pid namespace too", group.name));
    }
    verbs::print(text(&pids, options.json).as_bytes())?;
    Ok(0)
}

fn text(pids: &BTreeSet<i32>, json: bool) -> String {
    let mut text = String::new();
    for pid in pids {
        let _ = match json {
            true => writeln!(text, "{}", serde_json::json!({ "pid": pid, "comm": comm(*pid) })),
            false => writeln!(text, "{pid}"),
        };
    }
    text
}
