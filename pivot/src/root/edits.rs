//! Changes of the root that are no mounts. Each stays inside, and can be undone.

use super::spare;
use super::tree::Tree;
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
    /// Makes one change. The umask must be 0. What cannot be changed itself gets a layer that can.
    pub fn edit(&mut self, edit: &Edit) -> Result<()> {
        if matches!(edit.change, Change::ReadOnly) {
            return self.read_only(edit);
        }
        let mut done = self.change(edit);
        if done.is_err_and(spare::may_help) {
            let (layer, is_top) = spare::lay_open(self.top.as_fd(), &edit.target, || edit.what())?;
            if is_top {
                self.replace(Some(layer));
                self.sealed = true;
            } else {
                self.to_seal.push(layer);
            }
            done = self.change(edit);
        }
        done.cannot_with(|| edit.what())
    }

    fn change(&mut self, edit: &Edit) -> io::Result<()> {
        let (root, target, made) = (self.top.as_fd(), &edit.target, &mut self.undo.0);
        match &edit.change {
            Change::Link(to) => link(root, target, to, made),
            Change::Directory { mode, owner } => directory(root, target, *mode, *owner, made),
            Change::Mode(mode) => self::mode(root, target, Mode::from_raw_mode(*mode), made),
            Change::ReadOnly => Ok(()),
        }
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

fn link(root: BorrowedFd<'_>, target: &Path, to: &OsStr, made: &mut Vec<Made>) -> io::Result<()> {
    let parent = parent_in(root, target, made)?;
    let name = target.file_name().ok_or(io::Errno::EXIST)?;
    match symlinkat(to, &parent, name) {
        Err(io::Errno::EXIST) if leads_to(&parent, name, to) => Ok(()),
        Err(e) => Err(e),
        Ok(()) => {
            made.push(Made::Entry { parent, name: name.to_owned(), flags: AtFlags::empty() });
            Ok(())
        }
    }
}

fn directory(
    root: BorrowedFd<'_>,
    target: &Path,
    mode: Option<u32>,
    (user, group): (Option<u32>, Option<u32>),
    made: &mut Vec<Made>,
) -> io::Result<()> {
    let before = made.len();
    inside::make(root, target, Lookup::Followed, FileType::Directory, made)?;
    let dir = inside::open(root, &target.join("."), Lookup::Followed)?;
    if made.len() == before || mode.or(user).or(group).is_none() {
        return Ok(());
    }
    let dir = openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    fchown(&dir, user.map(Uid::from_raw), group.map(Gid::from_raw))?;
    fchmod(&dir, Mode::from_raw_mode(mode.unwrap_or(0o755)))
}

fn mode(root: BorrowedFd<'_>, target: &Path, mode: Mode, made: &mut Vec<Made>) -> io::Result<()> {
    let file = inside::open(root, target, Lookup::Followed)?;
    let before = Mode::from_raw_mode(fstat(&file)?.st_mode & 0o7777);
    inside::set_mode(&file, mode)?;
    made.push(Made::Mode { file, mode: before });
    Ok(())
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
