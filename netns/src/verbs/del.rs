//! `netns del`: removes names.

use crate::name::Name;
use crate::names::{self, State};
use crate::refused;
use chain::error::FAILED;
use chain::{Cannot, Result};
use rustix::fs::unlink;
use rustix::mount::{UnmountFlags, unmount};
use std::path::Path;

/// Namespaces that may be bound on top of each other by one name; older `ip netns` makes two of them.
const LAYERS: usize = 16;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The names to remove
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Name>,
}

/// Removes each name, past errors, all of which are told.
pub fn run(options: &Options) -> Result<u8> {
    let mut status = 0;
    for e in options.names.iter().filter_map(|name| remove(name).err()) {
        e.report();
        status = FAILED;
    }
    Ok(status)
}

/// Removes one.
pub fn remove(name: &Name) -> Result<()> {
    let file = names::path(name);
    if names::look(&file)? == State::Absent {
        return Err(names::missing(name));
    }
    let _lock = names::lock()?;
    match names::look(&file)? {
        State::Absent => Err(names::missing(name)),
        State::InTheWay => Err(refused::in_the_way(format!("remove {name}"), &file)),
        State::Live(_) | State::Stale => unbind(name, &file),
    }
}

fn unbind(name: &Name, file: &Path) -> Result<()> {
    let what = || format!("remove {name}");
    for _ in 0..LAYERS {
        match unmount(file, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            // Nothing is mounted there, or nothing more.
            Err(rustix::io::Errno::INVAL) => break,
            Err(errno) => return Err(errno).cannot_with(what).map_err(refused::for_names),
        }
    }
    match unlink(file) {
        Err(rustix::io::Errno::NOENT) => Ok(()),
        other => other.cannot_with(what).map_err(refused::for_names),
    }
}
