//! An upper or a work directory, which may have to be made.

use super::memory::resemble;
use super::overlay::is_in_use;
use super::relation::Line;
use crate::inside::{Made, Undo};
use crate::table::mount_of;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{CWD, Dir, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It keeps the changes.
    Upper,
    /// overlayfs works in it.
    Work,
}

/// A directory that is there, or whose parent is.
#[derive(Debug)]
pub struct Place {
    /// As the user named it.
    pub path: PathBuf,
    /// Itself, open, but not with `O_PATH`.
    pub dir: Option<OwnedFd>,
    role: Role,
    parent: OwnedFd,
    name: OsString,
}

impl Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Upper => "upper",
            Role::Work => "work",
        })
    }
}

impl Place {
    /// The directory that is or will be at `path`.
    pub fn find(path: PathBuf, role: Role) -> Result<Self> {
        let real = real(&path).cannot_with(|| what(&path, role))?;
        let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
            return Err(Error::new(what(&path, role), "it is the root"));
        };
        let parent = openat(CWD, parent, PARENT, Mode::empty()).cannot_with(|| what(&path, role))?;
        Place::open(parent, name.to_owned(), path, role)
    }

    /// The work directory of this upper one: its name with `.work` behind it.
    pub fn beside(&self) -> Result<Self> {
        let mut name = self.name.clone();
        name.push(".work");
        let path = self.path.with_file_name(&name);
        let parent = self.parent.try_clone().cannot_with(|| what(&path, Role::Work))?;
        Place::open(parent, name, path, Role::Work)
    }

    fn open(parent: OwnedFd, name: OsString, path: PathBuf, role: Role) -> Result<Self> {
        let dir = match openat(&parent, &name, DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => None,
            opened => Some(opened.cannot_with(|| what(&path, role))?),
        };
        Ok(Place { path, dir, role, parent, name })
    }

    /// Makes it when it is missing, with mode and owner of `like`.
    pub fn make(&mut self, like: Option<BorrowedFd<'_>>, undo: &mut Undo) -> Result<()> {
        if self.dir.is_none() {
            let what = || format!("make the {} directory {}", self.role, show(&self.path));
            let parent = self.parent.try_clone().cannot_with(what)?;
            mkdirat(&parent, &self.name, Mode::RWXU).cannot_with(what)?;
            undo.0.push(Made::directory(parent, self.name.clone()));
            let dir = openat(&self.parent, &self.name, DIRECTORY, Mode::empty()).cannot_with(what)?;
            if let Some(like) = like {
                resemble(self.parent.as_fd(), &self.name, like).cannot_with(what)?;
            }
            self.dir = Some(dir);
        }
        Ok(())
    }

    /// What it lies in.
    pub fn line(&self) -> Result<Line> {
        match &self.dir {
            Some(dir) => Line::of(dir.as_fd()),
            None => Line::of_missing(self.parent.as_fd()),
        }
        .cannot_with(|| self.what())
    }

    /// Whether both have the same name in the same directory.
    pub fn is_named_like(&self, other: &Place) -> Result<bool> {
        let lines = Line::of(self.parent.as_fd()).and_then(|own| Ok((own, Line::of(other.parent.as_fd())?)));
        let (own, its) = lines.cannot_with(|| self.what())?;
        Ok(self.name == other.name && own.is(&its))
    }

    /// The number of the mount that it is on.
    pub fn mount(&self) -> Result<u64> {
        mount_of(self.dir.as_ref().unwrap_or(&self.parent), "").cannot_with(|| self.what())
    }

    /// Refuses a directory that another overlay is changing.
    pub fn check_use(&self, existed: bool) -> Result<()> {
        let dir = self.dir.as_ref().filter(|_| existed);
        if dir.is_some_and(|dir| is_in_use(dir.as_fd(), self.parent.as_fd())) {
            let hint = "it is free when the last process of the other has ended";
            return Err(self.refused("another overlay uses it for its changes").hint(hint));
        }
        Ok(())
    }

    /// Refuses a work directory in which there is anything but what overlayfs leaves: it would delete that.
    pub fn check_content(&self) -> Result<()> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let own = |name: &[u8]| matches!(name, b"work" | b"index");
        self.check_names(dir.as_fd(), "", own)?;
        match openat(dir, "work", DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => Ok(()),
            inner => {
                let inner = inner.cannot_with(|| self.what())?;
                self.check_names(inner.as_fd(), "work/", |name| name.starts_with(b"#"))
            }
        }
    }

    fn check_names(&self, dir: BorrowedFd<'_>, before: &str, is_own: impl Fn(&[u8]) -> bool) -> Result<()> {
        for entry in Dir::read_from(dir).cannot_with(|| self.what())? {
            let entry = entry.cannot_with(|| self.what())?;
            let name = entry.file_name().to_bytes();
            if !is_own(name) && name != b"." && name != b".." {
                let name = show(OsStr::from_bytes(name));
                let why = format!("overlayfs would delete {before}{name}, which is in it");
                let hint = "--work, or work= of --overlay, names an empty directory or one that is missing";
                return Err(self.refused(why).hint(hint));
            }
        }
        Ok(())
    }

    /// An error of our own finding.
    pub fn refused(&self, why: impl Display) -> Error {
        Error::new(self.what(), why)
    }

    /// What the message says of it.
    pub fn what(&self) -> String {
        what(&self.path, self.role)
    }
}

const PARENT: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn what(path: &Path, role: Role) -> String {
    format!("use {} as the {role} directory", show(path))
}

/// The path without links. Its last part may be missing.
fn real(path: &Path) -> std::io::Result<PathBuf> {
    match (path.canonicalize(), path.file_name()) {
        (Err(e), Some(name)) if e.kind() == ErrorKind::NotFound && !path.is_symlink() => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok(parent.unwrap_or(Path::new(".")).canonicalize()?.join(name))
        }
        (real, _) => real,
    }
}
