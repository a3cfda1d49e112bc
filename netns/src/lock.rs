//! One process at a time. A lock of flock(2) is for everybody who can open the file, be it to read: so those that
//! netns waits for are on files that only root can open, and the one that is shared with `ip netns`, on a directory
//! that all can read, is not waited for without end.

use crate::attach::hosts;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, mkdir, open};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// For who adds and removes names.
const NAMES: &str = ".names";
/// For who changes networks and published ports.
const NETWORKS: &str = ".networks";
/// For who changes the names of the hosts of a network, in its directory.
const HOSTS: &str = ".lock";

/// How long `ip netns` is waited for, which has the directory locked for two calls of mount(2).
const PAUSE: Duration = Duration::from_millis(5);
const PAUSES: u32 = 300;

/// A lock, until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing it ends the lock")] Option<OwnedFd>);

/// Waits until nobody else adds or removes names. Where the file cannot be made nothing is locked.
pub fn names() -> Result<Lock> {
    in_own_directory(NAMES)
}

/// Waits until nobody else changes networks or published ports. Where the file cannot be made nothing is locked.
pub fn networks() -> Result<Lock> {
    in_own_directory(NETWORKS)
}

/// Waits until nobody else changes the names of hosts in the directory of a network, which must be there.
pub fn hosts(directory: &Path) -> Result<Lock> {
    take(&directory.join(HOSTS)).map(|fd| Lock(Some(fd)))
}

fn in_own_directory(file: &str) -> Result<Lock> {
    let made = match mkdir(hosts::DIRECTORY, Mode::from(0o755)) {
        Err(rustix::io::Errno::EXIST) => Ok(()),
        made => made.cannot_with(|| format!("make {}", hosts::DIRECTORY)),
    };
    match made.and_then(|()| take(&Path::new(hosts::DIRECTORY).join(file))) {
        Err(e) if cannot_write(&e) => Ok(Lock(None)),
        taken => taken.map(|fd| Lock(Some(fd))),
    }
}

/// Whether that is why it failed: without rights, or on a full disk, where things are to be removed nevertheless.
pub fn cannot_write(e: &Error) -> bool {
    matches!(e.errno(), Some(Errno::EACCES | Errno::EPERM | Errno::EROFS | Errno::ENOSPC | Errno::EDQUOT))
}

fn take(file: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = open(file, flags, Mode::RUSR | Mode::WUSR).cannot_with(|| format!("open {}", show(file)))?;
    flock(&fd, FlockOperation::LockExclusive).cannot_with(|| format!("lock {}", show(file)))?;
    Ok(fd)
}

/// Waits until no `ip netns` makes the directory of names a mount; none when somebody else must be holding the lock.
/// Then it is safe to go on: an `ip netns` that waits too finds the mount made.
pub fn with_ip(directory: &str) -> Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = open(directory, flags, Mode::empty()).cannot_with(|| format!("open {directory}"))?;
    for _ in 0..PAUSES {
        match flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => sleep(PAUSE),
            locked => return locked.cannot_with(|| format!("lock {directory}")).map(|()| Some(fd)),
        }
    }
    Error::new(format_args!("lock {directory}"), "another process holds it; going on without the lock")
        .report();
    Ok(None)
}
