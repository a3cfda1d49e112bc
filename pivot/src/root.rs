//! The directory that becomes the root, its private copy, and the switch.

use crate::inside::{self, Made};
use crate::mounts::{self, Ready};
use crate::namespace;
use crate::plan::{Lookup, Source};
use crate::proc::Covers;
use chain::sys::mount::{NODEV, RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Statx, StatxFlags, openat, statx};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{chdir, fchdir, getcwd, pivot_root, umask};
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The directory as it is, open.
#[derive(Debug)]
pub struct Root {
    place: OwnedFd,
    path: PathBuf,
}

/// Its copy, mounted over it: changes to the copy's mounts end with this process and its children.
#[derive(Debug)]
pub struct Tree {
    place: OwnedFd,
    top: OwnedFd,
    made: Vec<Made>,
}

impl Root {
    /// Opens the directory; the `.` asks for one that may be entered. Refuses `/`, which is the root already.
    pub fn open(path: &Path) -> Result<Self> {
        let what = || format!("use {} as the root", show(path));
        if path.as_os_str().is_empty() {
            return Err(Error::new(what(), "its name is empty"));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let place = openat(CWD, path.join("."), flags, Mode::empty()).cannot_with(what)?;
        if is_root(&place).cannot_with(what)? {
            return Err(Error::new(what(), "it is the root already"));
        }
        Ok(Root { place, path: path.to_owned() })
    }

    /// Mounts a copy, with all that is mounted in the directory, over it. Device nodes in it have no effect with `nodev`.
    pub fn attach(self, read_only: bool, nodev: bool) -> Result<Tree> {
        let what = || format!("use {} as the root", show(&self.path));
        let top = mounts::copy_all(&self.place, "").cannot_with(what).map_err(|e| {
            e.hint_if(
                Errno::EINVAL,
                "name it by its path: a descriptor from before belongs to another mount namespace",
            )
        })?;
        if read_only {
            set_attributes(top.as_fd(), RDONLY, true)
                .cannot_with(|| format!("make {} read-only", show(&self.path)))?;
        }
        if nodev {
            set_attributes(top.as_fd(), NODEV, true)
                .cannot_with(|| format!("take the devices of {} away", show(&self.path)))?;
        }
        mounts::attach(&top, &self.place).cannot_with(what)?;
        Ok(Tree { place: self.place, top, made: Vec::new() })
    }
}

fn is_root(dir: &OwnedFd) -> rustix::io::Result<bool> {
    let identity = |stat: Statx| (stat.stx_mnt_id, stat.stx_ino, stat.stx_dev_major, stat.stx_dev_minor);
    let fields = StatxFlags::INO | StatxFlags::MNT_ID;
    let dir = statx(dir, "", AtFlags::EMPTY_PATH, fields)?;
    Ok(identity(dir) == identity(statx(CWD, "/", AtFlags::empty(), fields)?))
}

impl Tree {
    /// Mounts everything in it, has `look` look around and makes it the root. Gives the working directory, `directory`
    /// or `/`, and what `look` has found. What had been made before an error is removed again.
    pub fn furnish_and_enter<T>(
        mut self,
        mounts: &[Ready],
        directory: Option<&Path>,
        look: impl FnOnce(BorrowedFd<'_>) -> Result<T>,
    ) -> Result<(Start, T)> {
        let mask = umask(Mode::empty());
        let found = self.furnish(mounts).and_then(|()| look(self.top.as_fd()));
        let entered = found.and_then(|found| Ok((self.enter(directory)?, found)));
        umask(mask);
        if entered.is_err() {
            self.take_down();
        }
        entered
    }

    fn furnish(&mut self, mounts: &[Ready]) -> Result<()> {
        let mut covers = Covers::default();
        for ready in mounts {
            let target = self.mount_point(ready)?;
            mounts::attach(&ready.tree, &target)
                .cannot_with(|| ready.what())
                .map_err(|e| explain(e, ready))?;
            mounts::finish(ready, &mut covers)?;
        }
        Ok(())
    }

    /// The open mount point, made when it is missing.
    fn mount_point(&mut self, ready: &Ready) -> Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(rustix::io::Errno::NOENT) => self
                .make(ready)
                .cannot_with(|| format!("make the mount point {}", show(ready.mount.place())))
                .map_err(|e| no_mount_point(e, ready)),
            opened => opened.cannot_with(|| ready.what()).map_err(|e| explain(e, ready)),
        }
    }

    /// A copy that is read-only for the command is not so for us: the directory beneath it is the same.
    fn make(&mut self, ready: &Ready) -> rustix::io::Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        let kind = ready.file_type().map_err(|_| rustix::io::Errno::IO)?;
        let mut result = inside::make(self.top.as_fd(), path, lookup, kind, &mut self.made);
        if result == Err(rustix::io::Errno::ROFS) {
            result = inside::make(self.place.as_fd(), path, lookup, kind, &mut self.made);
        }
        result?;
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(rustix::io::Errno::NOENT) => Err(rustix::io::Errno::ROFS),
            opened => opened,
        }
    }

    /// pivot_root(2) stacks the old root on the new one at `/`, from where it can be detached without a directory
    /// to put it in.
    fn enter(&mut self, directory: Option<&Path>) -> Result<Start> {
        let directory = directory.map(|path| (path, Directory::open(self.top.as_fd(), path)));
        if let Some((_, Err(e))) = &directory
            && e.errno() != Some(Errno::EACCES)
        {
            return Err(e.clone());
        }
        fchdir(&self.top).cannot("enter the new root")?;
        pivot_root(".", ".").cannot("switch the root").map_err(namespace::explain_root)?;
        unmount(".", UnmountFlags::DETACH).cannot("detach the old root")?;
        chdir("/").cannot("enter the new root")?;
        match directory {
            None => Ok(Start::In("/".into())),
            Some((_, Ok(directory))) => directory.enter().map(Start::In),
            Some((path, Err(e))) => Ok(Start::Later(path.to_owned(), e)),
        }
    }

    /// A mount point cannot be removed while something is mounted on it.
    fn take_down(self) {
        let _ = fchdir(&self.top).and_then(|()| unmount(".", UnmountFlags::DETACH));
        self.made.into_iter().rev().for_each(Made::remove);
    }
}

/// Where the command starts.
#[derive(Debug)]
pub enum Start {
    /// Here.
    In(PathBuf),
    /// There, if the user may enter it: this one may not.
    Later(PathBuf, Error),
}

/// Enters a directory of the root and gives its path.
pub fn start_in(root: BorrowedFd<'_>, path: &Path) -> Result<PathBuf> {
    Directory::open(root, path)?.enter()
}

/// A directory found inside the root.
struct Directory {
    name: String,
    fd: OwnedFd,
}

impl Directory {
    /// The `.` asks for a directory that may be entered.
    fn open(root: BorrowedFd<'_>, path: &Path) -> Result<Self> {
        let name = show(path);
        let fd = inside::open(root, &path.join("."), Lookup::Followed).cannot_with(|| Self::what(&name))?;
        Ok(Directory { name, fd })
    }

    fn what(name: &str) -> String {
        format!("start in {name} of the new root")
    }

    /// Enters it and gives its path: getcwd(3) marks one that no path leads to.
    fn enter(&self) -> Result<PathBuf> {
        let what = || Self::what(&self.name);
        fchdir(&self.fd).cannot_with(what)?;
        let path = OsString::from_vec(getcwd(Vec::new()).cannot_with(what)?.into_bytes());
        match PathBuf::from(path) {
            path if path.is_absolute() => Ok(path),
            _ => Err(Error::new(what(), "it is outside")),
        }
    }
}

fn no_mount_point(e: Error, ready: &Ready) -> Error {
    match ready.mount.source {
        Source::Dev | Source::Proc | Source::Sys => {
            e.hint("make that directory in the root, or do without such mounts with --bare")
        }
        _ => e.hint("make it in the root first"),
    }
}

fn explain(e: Error, ready: &Ready) -> Error {
    match (ready.mount.lookup, e.errno()) {
        (Lookup::Plain, Some(Errno::ELOOP | Errno::ENOTDIR)) => {
            let place = ready.mount.place();
            Error::new(ready.what(), format_args!("{} is not a real directory in this root", show(&place)))
                .hint("replace it by a directory, or do without such mounts with --bare")
        }
        (_, Some(Errno::EINVAL | Errno::ENOTDIR)) => {
            Error::new(ready.what(), "one is a directory and the other is not")
        }
        _ => e,
    }
}
