//! `cgctl exec`: the next program of the line in a group that is there.

use crate::cli::Named;
use crate::group::enter;
use crate::hierarchy::Hierarchies;
use chain::{Result, exec};
use std::ffi::OsString;

/// Enter a group and become the command
#[derive(clap::Args, Debug)]
#[command(override_usage = "cgctl exec [--parent GROUP] NAME -- COMMAND [ARG]...")]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// The command, always after --
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<OsString>,
}

/// Moves this process into the group in every hierarchy that has it. Returns only to say why not.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    group.parts.iter().try_for_each(|part| enter::check(&part.directory))?;
    enter::all(group.parts.iter().map(|part| &part.directory))?;
    Err(exec::exec(&options.command))
}
