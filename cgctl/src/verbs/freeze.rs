//! `cgctl freeze` and `cgctl thaw`.

use crate::cli::Named;
use crate::existing::{Group, freezer};
use crate::hierarchy::Hierarchies;
use chain::Result;

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

/// Returns when they stand still.
pub fn freeze(options: &Freeze) -> Result<u8> {
    act(&options.group, freezer::freeze)
}

/// Returns when they go on.
pub fn thaw(options: &Thaw) -> Result<u8> {
    act(&options.group, freezer::thaw)
}

fn act(group: &Named, act: fn(&Group, &Hierarchies) -> Result<()>) -> Result<u8> {
    let all = Hierarchies::discover()?;
    act(&group.find(&all)?, &all)?;
    Ok(0)
}
