//! `cgctl pids`: which processes are in a group.

use crate::cli::Named;
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::population::comm;
use chain::Result;
use chain::error::say;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// List the processes of a group
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Those of the groups inside it too
    #[arg(short, long)]
    recursive: bool,

    /// Tell of each as a JSON object on a line of its own
    #[arg(long)]
    json: bool,
}

/// Prints their numbers, the lowest first.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
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
