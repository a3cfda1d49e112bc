//! Giving a name to a namespace.

use crate::lock::{self, Lock};
use crate::name::Name;
use crate::names::{self, DIRECTORY, State};
use crate::refused;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, OFlags, fchmod, open, stat, unlink};
use rustix::mount::mount_bind;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// What the file of a name may be used for, until a namespace is bound on it.
const UNFINISHED: Mode = Mode::WUSR;
/// How young a file must be for its maker to be taken for alive, who may have to wait for the processor.
const YOUNG: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);
const PAUSES: usize = 200;

/// Makes sure that the name is free, and takes over what a killed maker has left. For the holder of the lock.
pub fn reserve(name: &Name, _: &Lock) -> Result<()> {
    let file = names::path(name);
    let what = || format!("add {name}");
    match settled(&file)? {
        State::Absent => Ok(()),
        State::Live(_) => Err(exists(name)),
        State::Stale => unlink(&file).cannot_with(what).map_err(refused::for_names),
        State::InTheWay => Err(refused::in_the_way(what(), &file)),
    }
}

/// What stands there, past the moment between the file and the bind: `ip netns add` does not hold the lock then.
fn settled(file: &Path) -> Result<State> {
    for _ in 0..PAUSES {
        match names::look(file)? {
            State::Stale if is_young(file) => std::thread::sleep(PAUSE),
            state => return Ok(state),
        }
    }
    names::look(file)
}

fn is_young(file: &Path) -> bool {
    let Ok(stat) = fs::metadata(file) else { return false };
    let number = |number: i64| number.try_into().unwrap_or(0);
    let (seconds, nanoseconds) = (number(stat.ctime()), number(stat.ctime_nsec()));
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds);
    changed.elapsed().is_ok_and(|age| age < YOUNG)
}

/// The file of /proc for a namespace that is open.
pub fn source(namespace: &impl AsFd) -> String {
    format!("/proc/self/fd/{}", namespace.as_fd().as_raw_fd())
}

/// Binds the namespace behind `source`, a file of /proc, to the name: all of it, or nothing. Last of all, so that as
/// little time as can be is between the file and what makes it a name.
pub fn bind(name: &Name, source: &str) -> Result<()> {
    let file = names::path(name);
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let made = match open(&file, flags, UNFINISHED) {
        Err(rustix::io::Errno::EXIST) => return Err(exists(name)),
        made => made.cannot_with(|| format!("make {}", show(&file))).map_err(refused::for_names)?,
    };
    mount_bind(source, &file)
        .inspect(|()| {
            let _ = fchmod(&made, Mode::empty());
        })
        .inspect_err(|_| {
            let _ = unlink(&file);
        })
        .cannot_with(|| format!("bind the namespace to {}", show(&file)))
        .map_err(refused::for_names)
}

/// Removes the files that killed makers have left, which are told from those that a namespace is bound on in another
/// mount namespace.
pub fn clean() -> Result<()> {
    if !Path::new(DIRECTORY).is_dir() {
        return Ok(());
    }
    let _lock = lock::names()?;
    let what = || format!("read {DIRECTORY}");
    for entry in fs::read_dir(DIRECTORY).cannot_with(what)? {
        let file = entry.cannot_with(what)?.path();
        let is_ours = stat(&file).is_ok_and(|stat| Mode::from_raw_mode(stat.st_mode) == UNFINISHED);
        if is_ours && names::look(&file)? == State::Stale {
            unlink(&file).cannot_with(|| format!("remove {}", show(&file)))?;
        }
    }
    Ok(())
}

fn exists(name: &Name) -> Error {
    Error::new(format_args!("add {name}"), "a network namespace of this name exists")
        .hint(format_args!("`netns del {name}` removes it"))
}
