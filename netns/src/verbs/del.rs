//! `netns del`: removes names.

use crate::attach::leave::Member;
use crate::lock;
use crate::name::Name;
use crate::names::{self, DIRECTORY, State};
use crate::namespace::Namespace;
use crate::output::tell_all;
use crate::refused;
use chain::text::show;
use chain::{Cannot, Result};
use rustix::fs::unlink;
use rustix::mount::{UnmountFlags, unmount};
use std::path::Path;

/// Namespaces that may be bound on top of each other by one name; older `ip netns` makes two of them.
const LAYERS: usize = 16;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// All names that there are
    #[arg(short, long)]
    all: bool,
    /// The names to remove
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "NAME")]
    names: Vec<Name>,
}

/// Removes each name, past errors, all of which are told.
pub fn run(options: &Options) -> Result<u8> {
    if options.all {
        let names = names::live()?;
        // One that is gone meanwhile was another process's to remove.
        return Ok(tell_all(names.iter().map(|(name, _)| remove(name).map(drop))));
    }
    Ok(tell_all(options.names.iter().map(|name| match remove(name.as_str())? {
        true => Ok(()),
        false => Err(names::missing(name)),
    })))
}

/// Whether there was such a name, which may be one that only another tool would give. What the namespace has had of
/// networks under that name goes too.
pub fn remove(name: &str) -> Result<bool> {
    let file = Path::new(DIRECTORY).join(name);
    let namespace = match names::look(&file)? {
        State::Absent => return Ok(false),
        State::Live(_) => Some(Namespace::of(show(name), names::open_file(name)?)),
        State::Stale | State::InTheWay => None,
    };
    if !unbind(name, &file)? {
        return Ok(false);
    }
    // As long as it is held open its addresses are no others'.
    let members = namespace.iter().map(|namespace| Member::find(namespace, name));
    let results = members.flat_map(|found| match found {
        Ok(members) => members.into_iter().map(Member::leave).collect(),
        Err(e) => vec![Err(e)],
    });
    results.collect::<Result<()>>().map(|()| true)
}

/// Whether there was anything to unbind.
fn unbind(name: &str, file: &Path) -> Result<bool> {
    let _lock = lock::names()?;
    match names::look(file)? {
        State::Absent => Ok(false),
        State::InTheWay => Err(refused::in_the_way(format!("remove {}", show(name)), file)),
        State::Live(_) | State::Stale => unmount_all(name, file).map(|()| true),
    }
}

fn unmount_all(name: &str, file: &Path) -> Result<()> {
    let what = || format!("remove {}", show(name));
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
