//! `cgctl gc`: what killed ones have left behind.

use crate::group::gc::{Collection, Removed, collect, in_killing_order};
use crate::hierarchy::Hierarchies;
use crate::verbs;
use chain::Result;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Remove what a killed cgctl left behind, and end the processes in it
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,

    /// Tell of each removed group as a JSON object on a line of its own
    #[arg(long)]
    json: bool,
}

/// The verb: looks everywhere, removes what it finds and tells of it; 125 when something had to stay.
pub fn run(options: &Options) -> Result<u8> {
    let mut collection = Collection { is_dry: options.dry_run, ..Collection::default() };
    let all = Hierarchies::discover()?;
    for hierarchy in in_killing_order(&all) {
        collect(hierarchy, &all, &mut collection);
    }
    print(&collection.removed, options.json)?;
    for failure in &collection.failures {
        failure.report();
    }
    Ok(if collection.failures.is_empty() { 0 } else { chain::error::FAILED })
}

fn print(removed: &BTreeMap<PathBuf, Removed>, json: bool) -> Result<()> {
    let mut text = Vec::new();
    for (group, removed) in removed {
        if json {
            let object = serde_json::json!({
                "group": group.to_string_lossy(),
                "killed": removed.killed,
                "directories": removed.directories.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            });
            text.extend_from_slice(object.to_string().as_bytes());
        } else {
            text.extend_from_slice(group.as_os_str().as_bytes());
        }
        text.push(b'\n');
    }
    verbs::print(&text)
}
