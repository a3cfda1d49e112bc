//! One directory of a group.

use crate::group::lock;
use crate::group::mark::{self, Mark};
use crate::hierarchy::{Hierarchies, Version, file, tree};
use crate::plan::INHERIT;
use rustix::fs::CWD;
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// An open directory of a group, locked when this process owns it.
#[derive(Debug)]
pub struct Directory {
    /// The version of its hierarchy.
    pub version: Version,
    /// Its whole path.
    pub path: PathBuf,
    pub(super) fd: OwnedFd,
    /// Locks that last as long as it does.
    pub(super) _held: Vec<OwnedFd>,
    /// What was made on the way to it.
    pub(super) made: Vec<OwnedFd>,
}

impl Directory {
    /// Opens the directory of a group that is there, without taking it over.
    pub fn open(version: Version, path: PathBuf) -> io::Result<Self> {
        file::directory(&path).map(|fd| Directory::of(version, path, fd))
    }

    /// The same of one that is open already.
    pub fn of(version: Version, path: PathBuf, fd: OwnedFd) -> Self {
        Directory { version, path, fd, _held: Vec::new(), made: Vec::new() }
    }

    /// It has not been removed, nor another been made in its place.
    pub fn is_there(&self) -> bool {
        lock::is_at(&self.fd, CWD, &self.path)
    }

    /// Makes it, and what was made on the way to it, stay when this process ends.
    pub fn keep(&self, mark: Mark) -> io::Result<()> {
        self.made.iter().chain([&self.fd]).try_for_each(|fd| mark::set(fd, mark))
    }

    /// Writes a limit to one of its files; `NODEV` when it has been removed.
    pub fn set(&self, name: &str, text: &str) -> io::Result<()> {
        match self.write_limit(name, text) {
            Err(Errno::NOENT) if !self.is_there() => Err(Errno::NODEV),
            other => other,
        }
    }

    fn write_limit(&self, name: &str, text: &str) -> io::Result<()> {
        if text == INHERIT && self.version == Version::V1 {
            let above = file::directory_in(&self.fd, c"..")?;
            return file::write(&self.fd, name, file::read(above, name)?.trim());
        }
        file::write(&self.fd, name, text)
    }

    /// The processes in it and in the groups below it, as far as this pid namespace shows them.
    pub fn processes(&self) -> Vec<i32> {
        let mut found = Vec::new();
        let _ = tree::each(&self.fd, |group, _| {
            found.extend(file::processes(group));
        });
        found
    }

    /// There is a process in it or below it.
    pub fn is_populated(&self) -> bool {
        match self.version {
            Version::V2 => file::read(&self.fd, "cgroup.events").map_or_else(
                |_| !self.processes().is_empty(),
                |events| file::field(&events, "populated") == Some(1),
            ),
            Version::V1 => !self.processes().is_empty(),
        }
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A group, as its directories in several hierarchies.
pub trait Directories {
    /// That in a hierarchy, which is a place in [`Hierarchies`].
    fn directory(&self, hierarchy: usize) -> Option<&Directory>;

    /// That in the hierarchy that has this controller.
    fn with_controller(&self, controller: &str, all: &Hierarchies) -> Option<&Directory> {
        self.directory(all.of(controller)?)
    }
}
