//! `cgctl stat`: what groups use.

use crate::cli::Where;
use crate::existing::Group;
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::listing::{self, Which};
use crate::view::stat::Stat;
use chain::Result;
use std::ffi::OsString;

/// Show what groups use of what they may use, and what their limits did
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Tell of each group as a JSON object on a line of its own
    #[arg(long)]
    json: bool,

    /// The groups: names, or paths from the top that begin with /; without one, all that are there
    #[arg(value_name = "NAME")]
    names: Vec<OsString>,
}

/// Prints a paragraph or an object for each.
pub fn run(options: &Options) -> Result<u8> {
    let (parent, all) = (options.place.parent()?, Hierarchies::discover()?);
    let groups: Vec<Group> = match options.names.is_empty() {
        true => listing::below(&parent, Which::All, &all).into_values().collect(),
        false => options.names.iter().map(|name| Group::find(name, &parent, &all)).collect::<Result<_>>()?,
    };
    let stats = groups.iter().map(|group| Stat::read(group, &all));
    let text: Vec<String> = match options.json {
        true => stats.map(|stat| format!("{}\n", stat.json())).collect(),
        false => stats.map(|stat| stat.text()).collect(),
    };
    verbs::print(text.join(if options.json { "" } else { "\n" }).as_bytes())?;
    Ok(0)
}
