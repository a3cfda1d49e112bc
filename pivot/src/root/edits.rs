//! Changes of the root that are no mounts. Each stays inside, and can be undone.

use super::{Line, Spot, Tree};
use crate::inside::{self, Made};
use crate::plan::{Change, Edit, Lookup};
use chain::sys::mount::{RDONLY, set_attributes};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, openat, readlinkat, symlinkat,
};
use rustix::io;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

impl Tree {
    /// Makes one change. The umask must be 0.
    pub fn edit(&mut self, edit: &Edit, line: Line<'_>) -> Result<()> {
        let target = &edit.target;
        match &edit.change {
            Change::Link(to) => self.link(target, to, line),
            Change::Directory { mode, owner } => self.directory(target, *mode, *owner, line),
            Change::Mode(mode) => self.mode(target, Mode::from_raw_mode(*mode), line),
            Change::ReadOnly => return self.read_only(edit),
        }
        .map_err(|(errno, why)| {
            let error = Error::os(edit.what(), Errno::from_raw(errno.raw_os_error()));
            why.map_or(error.clone(), |why| error.hint(why))
        })
    }

    fn link(&mut self, target: &Path, to: &OsStr, line: Line<'_>) -> Changed {
        self.change(&above(target), line, |spot, made| {
            let parent = parent_in(spot.root, target, made)?;
            let name = target.file_name().ok_or(io::Errno::EXIST)?;
            match symlinkat(to, &parent, name) {
                Err(io::Errno::EXIST) if leads_to(&parent, name, to) => Ok(()),
                Err(e) => Err(e),
                Ok(()) => {
                    made.push(Made::Entry { parent, name: name.to_owned(), flags: AtFlags::empty() });
                    Ok(())
                }
            }
        })?;
        let parent = self.open_again(&above(target), Lookup::Followed).map_err(bare)?;
        let is_seen = target.file_name().is_some_and(|name| leads_to(&parent, name, to));
        if is_seen { Ok(()) } else { Err(bare(io::Errno::ROFS)) }
    }

    fn directory(
        &mut self,
        target: &Path,
        mode: Option<u32>,
        (user, group): (Option<u32>, Option<u32>),
        line: Line<'_>,
    ) -> Changed {
        self.change(target, line, |Spot { root, .. }, made| {
            let before = made.len();
            inside::make(root, target, Lookup::Followed, FileType::Directory, made)?;
            if made.len() == before || mode.or(user).or(group).is_none() {
                return Ok(());
            }
            let dir = inside::open(root, target, Lookup::Followed)?;
            let dir = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            fchown(&dir, user.map(Uid::from_raw), group.map(Gid::from_raw))?;
            fchmod(&dir, Mode::from_raw_mode(mode.unwrap_or(0o755)))
        })?;
        self.open_again(&target.join("."), Lookup::Followed).map(drop).map_err(bare)
    }

    fn mode(&mut self, target: &Path, mode: Mode, line: Line<'_>) -> Changed {
        self.change(target, line, |Spot { root, top }, made| {
            let seen = identity(&inside::open(top, target, Lookup::Followed)?)?;
            // Beneath there may be another file, or none.
            let file = inside::open(root, target, Lookup::Followed).map_err(|_| io::Errno::ROFS)?;
            if identity(&file)? != seen {
                return Err(io::Errno::ROFS);
            }
            let before = Mode::from_raw_mode(fstat(&file)?.st_mode & 0o7777);
            inside::set_mode(&file, mode)?;
            made.push(Made::Mode { file, mode: before });
            Ok(())
        })
    }

    fn read_only(&self, edit: &Edit) -> Result<()> {
        let path = Path::new(".").join(&edit.target);
        let place = inside::open(self.top.as_fd(), &path, Lookup::Followed).cannot_with(|| edit.what())?;
        set_attributes(place.as_fd(), RDONLY, false).map_err(|errno| match errno {
            Errno::EINVAL => Error::new(edit.what(), "nothing is mounted there"),
            _ => Error::os(edit.what(), errno),
        })
    }
}

/// Or what the kernel said, and why no spare layer could be laid, where it was wanted.
type Changed = Result<(), (io::Errno, Option<String>)>;

fn bare(errno: io::Errno) -> (io::Errno, Option<String>) {
    (errno, None)
}

/// The directory in which the target lies, made when it is missing.
fn parent_in(root: BorrowedFd<'_>, target: &Path, made: &mut Vec<Made>) -> io::Result<OwnedFd> {
    let parent = above(target);
    inside::make(root, &parent, Lookup::Followed, FileType::Directory, made)?;
    inside::open(root, &parent, Lookup::Followed)
}

fn above(target: &Path) -> std::path::PathBuf {
    Path::new(".").join(target.parent().unwrap_or(Path::new("")))
}

fn leads_to(dir: &OwnedFd, name: &OsStr, to: &OsStr) -> bool {
    readlinkat(dir, name, Vec::new()).is_ok_and(|found| found.as_bytes() == to.as_encoded_bytes())
}

fn identity(file: &OwnedFd) -> io::Result<(u64, u64)> {
    fstat(file).map(|stat| (stat.st_dev, stat.st_ino))
}
