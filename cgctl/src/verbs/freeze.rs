//! `cgctl freeze` and `cgctl thaw`.

use crate::cli::Where;
use crate::existing::{Group, freezer};
use crate::hierarchy::Hierarchies;
use chain::Result;
use std::ffi::OsString;

/// Have every process of a group stand still
#[derive(clap::Args, Debug)]
pub struct Freeze {
    #[command(flatten)]
    group: Named,
}

/// Have the processes of a frozen group go on
#[derive(clap::Args, Debug)]
pub struct Thaw {
    #[command(flatten)]
    group: Named,
}

#[derive(clap::Args, Debug)]
struct Named {
    #[command(flatten)]
    place: Where,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,
}

/// Returns when they stand still.
pub fn freeze(options: &Freeze) -> Result<u8> {
    options.group.act(freezer::freeze)
}

/// Returns when they go on.
pub fn thaw(options: &Thaw) -> Result<u8> {
    options.group.act(freezer::thaw)
}

impl Named {
    fn act(&self, act: fn(&Group, &Hierarchies) -> Result<()>) -> Result<u8> {
        let all = Hierarchies::discover()?;
        act(&Group::find(&self.name, &self.place.parent()?, &all)?, &all)?;
        Ok(0)
    }
}
