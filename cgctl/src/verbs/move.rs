//! `cgctl move`: processes that run already go into a group.

use crate::cli::Named;
use crate::existing::moving::{self, Process};
use crate::group::enter;
use crate::hierarchy::Hierarchies;
use chain::Result;
use std::ffi::OsString;

/// Move running processes into a group, in every hierarchy that has it
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// The processes, by number, each with all its threads
    #[arg(value_name = "PID", required = true)]
    pids: Vec<OsString>,
}

/// Looks at all of them before it moves the first.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    group.parts.iter().try_for_each(|part| enter::check(&part.directory))?;
    let processes = options.pids.iter().map(|pid| Process::find(pid)).collect::<Result<Vec<_>>>()?;
    for process in &processes {
        moving::into(process, &group, &all)?;
    }
    Ok(0)
}
