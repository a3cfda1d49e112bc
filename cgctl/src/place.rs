//! Where groups may be made: in a directory called `cgctl`, which is ours alone.
//!
//! It stands at the top of the hierarchy, or in the own group of a user to whom that is delegated. A cgctl that
//! runs in a group of another cgctl keeps its groups inside that one: no limit is left behind.

use crate::file;
use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::lock;
use rustix::fs::{Mode, fchmod, mkdirat};
use rustix::io::{Errno, Result};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The name of the directory that holds groups.
pub const DIRECTORY: &str = "cgctl";

/// Others may pass through it to the group that they are in, but cannot open it: nobody else can lock it.
const MODE: Mode = Mode::from_raw_mode(0o711);

/// A directory for groups, there or to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The version of its hierarchy.
    pub version: Version,
    /// Where the hierarchy is mounted.
    pub mount: PathBuf,
    /// The group in which it is: there already, not ours to remove.
    pub anchor: PathBuf,
    /// The way from there: `cgctl`, or `cgctl/OUTER/cgctl` where the outer group does without this hierarchy.
    below: PathBuf,
    /// The controllers of the hierarchy.
    controllers: Vec<String>,
}

/// An open directory for groups.
#[derive(Debug)]
pub struct Base {
    /// The directory.
    pub fd: OwnedFd,
    /// Groups on the way to it that were made for its sake, kept from being taken for orphans.
    pub held: Vec<OwnedFd>,
}

/// The places in a hierarchy, best first; none when the mount does not show where this process is.
pub fn places(hierarchy: &Hierarchy, all: &Hierarchies) -> Vec<Place> {
    let Some(own) = &hierarchy.own else { return Vec::new() };
    let place = |anchor: &Path, below: PathBuf| Place {
        version: hierarchy.version,
        mount: hierarchy.mount.clone(),
        anchor: anchor.to_owned(),
        below,
        controllers: hierarchy.controllers.clone(),
    };
    let in_own = place(own, DIRECTORY.into());
    let at_top = match all.outer() {
        _ if hierarchy.is_nested() => return vec![in_own],
        Some(outer) => place(Path::new(""), outer.join(DIRECTORY)),
        None => place(Path::new(""), DIRECTORY.into()),
    };
    if at_top == in_own { vec![in_own] } else { vec![at_top, in_own] }
}

impl Place {
    /// The path of the directory below the mount.
    pub fn relative(&self) -> PathBuf {
        self.anchor.join(&self.below)
    }

    /// Its whole path.
    pub fn path(&self) -> PathBuf {
        self.mount.join(self.relative())
    }

    /// Opens it, made where it is missing. `NOENT` when somebody removes it meanwhile: then start over.
    pub fn open(&self) -> Result<Base> {
        let fd = file::directory(&self.mount.join(&self.anchor))?;
        let mut base = Base { fd, held: Vec::new() };
        for name in &self.below {
            base = self.step(base, name)?;
        }
        Ok(base)
    }

    fn step(&self, mut base: Base, name: &OsStr) -> Result<Base> {
        let is_group = name != DIRECTORY;
        if is_group {
            lock::share(&base.fd)?;
        }
        let fd = open_or_make(&base.fd, name)?;
        self.prepare(&base.fd, &fd)?;
        if is_group && lock::take_part(&fd) {
            base.held.push(rustix::io::fcntl_dupfd_cloexec(&fd, 0)?);
        }
        Ok(Base { fd, held: base.held })
    }

    /// A v1 cpuset takes no process before it has processors and memory nodes; it starts with its parent's.
    pub fn prepare(&self, parent: impl AsFd, group: impl AsFd) -> Result<()> {
        if self.version == Version::V2 || !self.controllers.iter().any(|name| name == "cpuset") {
            return Ok(());
        }
        for name in ["cpuset.cpus", "cpuset.mems"] {
            if file::read(&group, name)?.trim().is_empty() {
                file::write(&group, name, file::read(&parent, name)?.trim())?;
            }
        }
        Ok(())
    }

    /// Removes the directory, and those on the way to it, as far as nobody has anything in them.
    pub fn tidy(&self) {
        tidy(&self.mount.join(&self.anchor), &self.below);
    }
}

/// Removes `top/below` and what is above it, but not `top`, as far as it is empty.
pub fn tidy(top: &Path, below: &Path) {
    let ancestors = below.ancestors().filter(|path| *path != Path::new(""));
    let _ = ancestors.map(|path| top.join(path)).try_for_each(std::fs::remove_dir);
}

fn open_or_make(parent: &OwnedFd, name: &OsStr) -> Result<OwnedFd> {
    match file::directory_in(parent, name) {
        Err(Errno::NOENT) => {}
        other => return other,
    }
    let made = mkdirat(parent, name, MODE);
    if made != Err(Errno::EXIST) {
        made?;
    }
    let fd = file::directory_in(parent, name)?;
    if made.is_ok() {
        fchmod(&fd, MODE)?;
    }
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(mount: &str, own: &str) -> Hierarchy {
        Hierarchy {
            version: Version::V2,
            mount: mount.into(),
            controllers: Vec::new(),
            own: Some(own.into()),
        }
    }

    fn paths(all: Vec<Hierarchy>) -> Vec<Vec<PathBuf>> {
        let all = Hierarchies(all);
        all.0.iter().map(|one| places(one, &all).iter().map(Place::path).collect()).collect()
    }

    #[test]
    fn the_top_comes_before_the_own_group() {
        let found = paths(vec![hierarchy("/u", "a/b"), hierarchy("/v", "")]);
        assert_eq!(found, [vec![PathBuf::from("/u/cgctl"), "/u/a/b/cgctl".into()], vec!["/v/cgctl".into()]]);
    }

    #[test]
    fn a_nested_call_stays_inside_in_every_hierarchy() {
        let found = paths(vec![hierarchy("/u", "cgctl/run-1"), hierarchy("/v", "")]);
        assert_eq!(found[0], [PathBuf::from("/u/cgctl/run-1/cgctl")]);
        assert_eq!(found[1], [PathBuf::from("/v/cgctl/run-1/cgctl"), "/v/cgctl".into()]);
    }
}
