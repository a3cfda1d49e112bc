//! Ownership: flock(2) on a directory, which the kernel gives up for its owner however that one ends.
//!
//! The directory of a group is locked for the life of the cgctl that made it. The directory that holds groups is
//! locked as shared between making a group and locking it, and exclusively while orphans are looked for: so no
//! group with a name is ever seen before it is locked.
//!
//! A group without a name stands in a directory that others can lock as well, so that one is not locked. Such a group
//! may be taken for an orphan before it is locked, when it is still empty: so both sides look, once they have the
//! lock, whether the directory is still [in its place](is_at), and its maker takes another name when it is not.

use crate::hierarchy::file;
use crate::hierarchy::patience::Patience;
use rustix::fs::{AtFlags, FlockOperation, flock, statat};
use rustix::io::{Errno, Result};
use std::os::fd::AsFd;
use std::time::Duration;

/// Locks are held for moments only; whoever holds one for this long has been stopped.
const LIMIT: Duration = Duration::from_secs(5);

/// Keeps those away who look for orphans; waits for them.
pub fn share(dir: impl AsFd) -> Result<()> {
    wait_for(dir, FlockOperation::NonBlockingLockShared)
}

/// Keeps those away who make groups; waits for them.
pub fn exclude(dir: impl AsFd) -> Result<()> {
    wait_for(dir, FlockOperation::NonBlockingLockExclusive)
}

/// Takes the directory as one's own, unless it is somebody's.
pub fn take(dir: impl AsFd) -> bool {
    flock(dir, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Takes part in owning the directory, unless somebody has it for himself.
pub fn take_part(dir: impl AsFd) -> bool {
    flock(dir, FlockOperation::NonBlockingLockShared).is_ok()
}

/// The open directory is what its name leads to, and has not been removed meanwhile.
pub fn is_at(dir: impl AsFd, parent: impl AsFd, name: impl rustix::path::Arg) -> bool {
    let (Ok(held), Ok(found)) = (rustix::fs::fstat(dir), statat(parent, name, AtFlags::SYMLINK_NOFOLLOW))
    else {
        return false;
    };
    (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino)
}

/// Gives it up.
pub fn free(dir: impl AsFd) {
    let _ = flock(dir, FlockOperation::Unlock);
}

/// The processes that hold a lock on the directory, as far as this pid namespace shows them (proc_locks(5)).
pub fn holders(dir: impl AsFd) -> Vec<i32> {
    let (Ok(stat), Ok(locks)) = (rustix::fs::fstat(dir), file::read_path("/proc/locks")) else {
        return Vec::new();
    };
    let device = stat.st_dev;
    let file = format!("{:02x}:{:02x}:{}", rustix::fs::major(device), rustix::fs::minor(device), stat.st_ino);
    let holder = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // A line of one that waits for the lock has an arrow in the second field.
        (fields.get(1) == Some(&"FLOCK") && fields.get(5) == Some(&file.as_str()))
            .then(|| fields[4].parse().ok())?
    };
    locks.lines().filter_map(holder).collect()
}

fn wait_for(dir: impl AsFd, operation: FlockOperation) -> Result<()> {
    let mut patience = Patience::of(LIMIT);
    loop {
        match flock(&dir, operation) {
            Err(Errno::WOULDBLOCK) if patience.pause() => {}
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
