//! The directory that becomes the root, its private copy, and the switch.

use crate::inside::{self, Made};
use crate::mounts::{self, Work};
use crate::plan::{Look, Lookup, Masks};
use crate::turn::Turn;
use crate::{bind, idmap, namespace};
use chain::shelter::OwnMount;
use chain::sys::mount::{NODEV, RDONLY, SLAVE, set_attributes, set_propagation};
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
    /// The directory beneath: writable where the copy is read-only for the command.
    pub place: OwnedFd,
    /// The copy.
    pub top: OwnedFd,
    program: Option<OwnMount>,
    /// What was changed in it.
    pub made: Vec<Made>,
    /// Who else is about to use it.
    pub turn: Turn,
    propagation: Option<u64>,
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

    /// Mounts a copy, with all that is mounted in the directory, over it. `program` is left behind with the
    /// old root.
    pub fn attach(self, look: &Look, program: Option<OwnMount>) -> Result<Tree> {
        let what = || format!("use {} as the root", show(&self.path));
        let top = mounts::copy_all(&self.place, "").cannot_with(what).map_err(|e| {
            e.hint_if(
                Errno::EINVAL,
                "name it by its path: a descriptor from before belongs to another mount namespace",
            )
        })?;
        self.change_look(&top, look)?;
        mounts::attach(&top, &self.place).cannot_with(what)?;
        let turn = Turn::share(top.as_fd());
        Ok(Tree { place: self.place, top, program, made: Vec::new(), turn, propagation: look.propagation })
    }

    fn change_look(&self, top: &OwnedFd, look: &Look) -> Result<()> {
        let name = show(&self.path);
        if look.propagation == Some(SLAVE) {
            self.check_ties()?;
        }
        if look.nodev {
            set_attributes(top.as_fd(), NODEV, true)
                .cannot_with(|| format!("take the devices out of {name}"))?;
        }
        if look.read_only {
            set_attributes(top.as_fd(), RDONLY, true).cannot_with(|| format!("make {name} read-only"))?;
        }
        let what = || format!("map the ids of {name}");
        look.ids.as_ref().map_or(Ok(()), |map| idmap::apply(top, map, true, &what))
    }

    fn check_ties(&self) -> Result<()> {
        let what = || format!("let mounts into {}", show(&self.path));
        match bind::has_field(&self.place, Path::new(""), &["master:"]).cannot_with(what)? {
            true => Ok(()),
            false => Err(bind::no_ties(what())),
        }
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
        work: &[Work],
        masks: &Masks,
        directory: Option<&Path>,
        look: impl FnOnce(BorrowedFd<'_>) -> Result<T>,
    ) -> Result<(Start, T)> {
        let mask = umask(Mode::empty());
        let found = self.furnish(work, masks).and_then(|()| look(self.top.as_fd()));
        let entered = found.and_then(|found| Ok((self.enter(directory)?, found)));
        umask(mask);
        if entered.is_err() {
            self.take_down();
        }
        entered
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
        self.program.as_ref().map_or(Ok(()), OwnMount::seal)?;
        unmount(".", UnmountFlags::DETACH).cannot("detach the old root")?;
        chdir("/").cannot("enter the new root")?;
        // Not before: what is shared cannot take the old root.
        if let Some(kind) = self.propagation.filter(|kind| *kind != SLAVE) {
            set_propagation(self.top.as_fd(), kind).cannot("change how mounts go in and out of the root")?;
        }
        match directory {
            None => Ok(Start::In("/".into())),
            Some((_, Ok(directory))) => directory.enter().map(Start::In),
            Some((path, Err(e))) => Ok(Start::Later(path.to_owned(), e)),
        }
    }

    /// A mount point cannot be removed while something is mounted on it.
    fn take_down(self) {
        let _ = fchdir(&self.top).and_then(|()| unmount(".", UnmountFlags::DETACH));
        if self.turn.is_alone() {
            self.made.into_iter().rev().for_each(Made::undo);
        }
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
