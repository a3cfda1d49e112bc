//! An upper directory in memory: what is changed there ends with the last process that sees it.

use super::overlay::Upper;
use rustix::fs::{AtFlags, Mode, OFlags, chmodat, chownat, fstat, mkdirat, openat};
use rustix::io;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};
use rustix::mount::{fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A tmpfs, seen by nobody yet, with an upper and a work directory.
#[derive(Debug)]
pub struct Memory {
    top: OwnedFd,
    upper: OwnedFd,
    work: OwnedFd,
}

impl Memory {
    /// Makes one of this size, as tmpfs(5) has it. The upper directory, which the root of the overlay takes mode and
    /// owner from, has those of `like`.
    pub fn make(size: Option<&OsStr>, like: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let top = tmpfs(size)?;
        let upper = directory(top.as_fd(), "upper")?;
        let work = directory(top.as_fd(), "work")?;
        like.map_or(Ok(()), |like| resemble(top.as_fd(), "upper", like))?;
        Ok(Memory { top, upper, work })
    }

    /// Its root.
    pub fn top(&self) -> BorrowedFd<'_> {
        self.top.as_fd()
    }

    /// Its two directories.
    pub fn upper(&self) -> Upper<'_> {
        Upper { dir: self.upper.as_fd(), work: self.work.as_fd() }
    }
}

/// The options are not `defaults::TMPFS`: nothing of this file system is ever seen but by way of the overlay.
fn tmpfs(size: Option<&OsStr>) -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", "pivot")?;
    if let Some(size) = size {
        fsconfig_set_string(&context, "size", size)?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

/// Makes a directory that only its owner may enter, and opens it.
pub fn directory(parent: BorrowedFd<'_>, name: impl AsRef<OsStr>) -> io::Result<OwnedFd> {
    mkdirat(parent, name.as_ref(), Mode::RWXU)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name.as_ref(), flags, Mode::empty())
}

/// Gives a directory the mode and the owner of another. An owner that the user namespace does not have is left out.
pub fn resemble(parent: BorrowedFd<'_>, name: impl AsRef<OsStr>, like: BorrowedFd<'_>) -> io::Result<()> {
    let stat = fstat(like)?;
    let (user, group) = (rustix::fs::Uid::from_raw(stat.st_uid), rustix::fs::Gid::from_raw(stat.st_gid));
    let _ = chownat(parent, name.as_ref(), Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW);
    chmodat(parent, name.as_ref(), Mode::from_raw_mode(stat.st_mode), AtFlags::empty())
}
