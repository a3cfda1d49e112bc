//! What lies in what, on the same file system: overlayfs refuses layers that are parts of one another.

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::{Errno, Result};
use std::os::fd::{AsFd, BorrowedFd};

/// A directory and all that it lies in.
#[derive(Debug)]
pub struct Line {
    is_missing: bool,
    upwards: Vec<Identity>,
}

/// The device and the inode number.
type Identity = (u32, u32, u64);

impl Line {
    /// Of an open directory.
    pub fn of(dir: BorrowedFd<'_>) -> Result<Self> {
        Ok(Line { is_missing: false, upwards: upwards(dir)? })
    }

    /// Of one that will be made in `parent`.
    pub fn of_missing(parent: BorrowedFd<'_>) -> Result<Self> {
        Ok(Line { is_missing: true, upwards: upwards(parent)? })
    }

    /// Whether it is the other one.
    pub fn is(&self, other: &Line) -> bool {
        !self.is_missing && !other.is_missing && self.upwards.first() == other.upwards.first()
    }

    /// Whether it lies in the other one, or is it.
    pub fn is_in(&self, other: &Line) -> bool {
        !other.is_missing && other.upwards.first().is_some_and(|own| self.upwards.contains(own))
    }
}

/// Beyond the root of a file system, or a directory that may not be entered, there is nothing to be found.
fn upwards(dir: BorrowedFd<'_>) -> Result<Vec<Identity>> {
    let mut found = vec![identity(dir)?];
    let mut above = openat(dir, "..", FLAGS, Mode::empty());
    loop {
        let next = match above {
            Err(Errno::ACCESS) => return Ok(found),
            next => next?,
        };
        let own = identity(next.as_fd())?;
        let last = found[found.len() - 1];
        if own == last || (own.0, own.1) != (last.0, last.1) {
            return Ok(found);
        }
        found.push(own);
        above = openat(&next, "..", FLAGS, Mode::empty());
    }
}

const FLAGS: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

fn identity(dir: BorrowedFd<'_>) -> Result<Identity> {
    let stat = statx(dir, "", AtFlags::EMPTY_PATH, StatxFlags::INO)?;
    Ok((stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino))
}
