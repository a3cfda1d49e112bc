//! `cgctl move`: processes that run already go into a group.

use crate::cli::Where;
use crate::existing::Group;
use crate::existing::moving::{self, Process};
use crate::group::enter;
use crate::hierarchy::Hierarchies;
use chain::Result;
use std::ffi::OsString;

/// Move running processes into a group, in every hierarchy that has it
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,

    /// The processes, by number, each with all its threads
    #[arg(value_name = "PID", required = true)]
    pids: Vec<OsString>,
}

/// Looks at all of them before it moves the first.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = Group::find(&options.name, &options.place.parent()?, &all)?;
    group.parts.iter().try_for_each(|part| enter::check(&part.directory))?;
    let processes = options.pids.iter().map(|pid| Process::find(pid)).collect::<Result<Vec<_>>>()?;
    for process in &processes {
        moving::into(process, &group, &all)?;
    }
    Ok(0)
}
