//! `cgctl exec`: the next program of the line in a group that is there.

use crate::cli::Where;
use crate::existing::Group;
use crate::group::enter;
use crate::hierarchy::Hierarchies;
use chain::{Result, exec};
use std::ffi::OsString;

/// Enter a group and become the command
#[derive(clap::Args, Debug)]
#[command(override_usage = "cgctl exec [--parent GROUP] NAME -- COMMAND [ARG]...")]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,

    /// The command, always after --
    #[arg(last = true, value_name = "COMMAND", required = true)]
    command: Vec<OsString>,
}

/// Moves this process into the group in every hierarchy that has it. Returns only to say why not.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let group = Group::find(&options.name, &options.place.parent()?, &all)?;
    group.parts.iter().try_for_each(|part| enter::check(&part.directory))?;
    enter::all(group.parts.iter().map(|part| &part.directory))?;
    Err(exec::exec(&options.command))
}
