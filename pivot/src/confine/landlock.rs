//! Which files the command may use, whatever its ids and capabilities say: landlock(7).

use chain::sys::landlock::{Ruleset, version};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{FileType, fstat};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use crate::inside;
use crate::plan::Lookup;

/// What may be done below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read files, list directories, run programs.
    Read,
    /// That, and everything else.
    Write,
}

/// What was asked for; nothing when no path was named.
#[derive(Debug, Clone, Default)]
pub struct Paths(pub Vec<(Access, PathBuf)>);

/// The first version of the interface with so many of the rights, which are numbered in the order in which they came.
const RIGHTS: [(u32, u64); 5] = [(1, 13), (2, 14), (3, 15), (5, 16), (9, 17)];
/// EXECUTE, READ_FILE, READ_DIR: linux/landlock.h.
const READ: u64 = 1 << 0 | 1 << 2 | 1 << 3;
/// Those that a file can have: EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX.
const OF_FILE: u64 = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15 | 1 << 16;

impl Paths {
    /// Adds one; it is absolute.
    pub fn add(&mut self, access: Access, path: &Path) -> Result<(), String> {
        if !path.is_absolute() {
            return Err("PATH is not absolute".to_owned());
        }
        self.0.push((access, path.to_owned()));
        Ok(())
    }

    /// Whether any was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All rights that the running kernel can refuse; nothing when no path was named. Errors: a kernel without Landlock.
    pub fn handled(&self) -> Result<u64> {
        if self.is_empty() { Ok(0) } else { version().map(rights).map_err(missing) }
    }

    /// The rules for the paths as they are in the root.
    pub fn rules(&self, root: BorrowedFd<'_>, handled: u64) -> Result<Option<Ruleset>> {
        if self.is_empty() {
            return Ok(None);
        }
        let rules = Ruleset::new(handled).cannot("make Landlock rules")?;
        for (access, path) in &self.0 {
            let what = || format!("allow {} of the new root by Landlock", show(path));
            let place = inside::open(root, path, Lookup::Followed).cannot_with(what)?;
            let kind = FileType::from_raw_mode(fstat(&place).cannot_with(what)?.st_mode);
            let possible = if kind.is_dir() { handled } else { handled & OF_FILE };
            rules.allow(place.as_fd(), access.rights() & possible).cannot_with(what)?;
        }
        Ok(Some(rules))
    }
}

impl Access {
    fn rights(self) -> u64 {
        match self {
            Access::Read => READ,
            Access::Write => u64::MAX,
        }
    }
}

fn rights(version: u32) -> u64 {
    let count = RIGHTS.iter().rev().find(|(first, _)| *first <= version).map_or(0, |(_, count)| *count);
    (1 << count) - 1
}

fn missing(errno: Errno) -> Error {
    let what = "restrict files by Landlock";
    match errno {
        Errno::ENOSYS => {
            Error::new(what, "this kernel does not have it").hint("Linux 5.13 has, built with it")
        }
        Errno::EOPNOTSUPP => {
            Error::new(what, "it is switched off").hint("add landlock to the kernel's boot parameter lsm=")
        }
        _ => Error::os(what, errno),
    }
}

/// Puts this process under the rules.
pub fn restrict(rules: &Ruleset) -> Result<()> {
    rules.restrict().cannot("restrict files by Landlock").map_err(|e| {
        e.hint_if(Errno::EPERM, "without CAP_SYS_ADMIN it takes --no-new-privs")
            .hint_if(Errno::E2BIG, "there are 16 layers of rules around this process already")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_the_rights_of_those_before() {
        for (version, bits) in
            [(0, 0), (1, 13), (2, 14), (3, 15), (4, 15), (5, 16), (7, 16), (9, 17), (99, 17)]
        {
            assert_eq!(rights(version).count_ones(), bits, "{version}");
        }
    }
}
