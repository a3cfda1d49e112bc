//! `netns del`: removes names.

use crate::attach::leave::{Member, leave};
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
use rustix::process::{Resource, getrlimit};
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

/// Removes each name, past errors, all of which are told. What the namespaces have had of networks under their names
/// goes too.
pub fn run(options: &Options) -> Result<u8> {
    let names: Vec<String> = match options.all {
        true => names::live()?.into_iter().map(|(name, _)| name).collect(),
        false => options.names.iter().map(|name| name.as_str().to_owned()).collect(),
    };
    let some = names.chunks(at_once());
    Ok(tell_all(some.flat_map(|names| remove(names, options.all))))
}

/// How many namespaces are held open at a time; it is left with descriptors enough for all else.
fn at_once() -> usize {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(most / 8).unwrap_or(usize::MAX).clamp(1, 128)
}

/// With `may_be_gone` one that is gone meanwhile was another process's to remove.
fn remove(names: &[String], may_be_gone: bool) -> Vec<Result<()>> {
    let mut results = Vec::new();
    let (mut held, mut members) = (Vec::new(), Vec::new());
    for name in names {
        results.push(match take(name) {
            Ok(Taken::Absent) if !may_be_gone => Err(names::missing(show(name))),
            Ok(Taken::Namespace(namespace)) => {
                let found = Member::find(&namespace, name).map(|found| members.extend(found));
                // As long as it is held open its addresses are no others'.
                held.push(namespace);
                found
            }
            Ok(_) => Ok(()),
            Err(e) => Err(e),
        });
    }
    results.extend(leave(members));
    results
}

/// What a name was.
enum Taken {
    Absent,
    Stale,
    Namespace(Namespace),
}

/// Takes a name away, which may be one that only another tool would give.
fn take(name: &str) -> Result<Taken> {
    let file = Path::new(DIRECTORY).join(name);
    let taken = match names::look(&file)? {
        State::Absent => return Ok(Taken::Absent),
        State::Live(_) => Taken::Namespace(Namespace::of(show(name), names::open_file(name)?)),
        State::Stale | State::InTheWay => Taken::Stale,
    };
    Ok(if unbind(name, &file)? { taken } else { Taken::Absent })
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
