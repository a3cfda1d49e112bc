//! Leaving the old root.

use super::Tree;
use crate::inside;
use crate::namespace::{cut_ties, explain_root, to_namespace_root};
use crate::plan::Lookup;
use crate::table::{is_initial, mount_of, mounted_on};
use chain::error::say;
use chain::shelter::OwnMount;
use chain::sys::mount::{SLAVE, set_propagation};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io;
use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};
use rustix::process::{chdir, chroot, fchdir, getcwd, pivot_root};
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Where the command starts.
#[derive(Debug)]
pub enum Start {
    /// Here.
    In(PathBuf),
    /// There, if the user may enter it: this one may not.
    Later(PathBuf, Error),
}

/// Makes the tree, a mount of this namespace, the root. Gives where the command starts, `directory` or `/`.
pub fn enter(tree: &mut Tree, directory: Option<&Path>) -> Result<Start> {
    let directory = directory.map(|path| (path, Directory::open(tree.top.as_fd(), path)));
    if let Some((_, Err(e))) = &directory
        && e.errno() != Some(Errno::EACCES)
    {
        return Err(e.clone());
    }
    switch(tree)?;
    // Not before: what is shared cannot take the old root.
    if let Some(kind) = tree.propagation.filter(|kind| *kind != SLAVE) {
        set_propagation(tree.top.as_fd(), kind).cannot("change how mounts go in and out of the root")?;
    }
    match directory {
        None => Ok(Start::In("/".into())),
        Some((_, Ok(directory))) => directory.enter().map(Start::In),
        Some((path, Err(e))) => Ok(Start::Later(path.to_owned(), e)),
    }
}

/// Enters a directory of the root and gives its path.
pub fn start_in(root: BorrowedFd<'_>, path: &Path) -> Result<PathBuf> {
    Directory::open(root, path)?.enter()
}

/// Where this process was in a chroot, it has taken the place of that only, or of nothing: then it does the same from
/// the root of the namespace, as nothing beneath a chroot keeps root inside.
fn switch(tree: &mut Tree) -> Result<()> {
    let switched = take_place(tree);
    match &switched {
        Err(e) if e.errno() != Some(Errno::EINVAL) => return switched,
        Err(_) if is_initial("/") => return cover(tree),
        _ => to_namespace_root().cannot("enter the new root")?,
    }
    if switched.is_ok() && is_root(&tree.top).cannot("enter the new root")? {
        return Ok(());
    }
    cut_ties(tree.propagation == Some(SLAVE))?;
    match take_place(tree) {
        Err(e) if e.errno() == Some(Errno::EINVAL) && is_initial("/") => cover(tree),
        switched => switched.and_then(|()| chdir("/").cannot("enter the new root")).map_err(explain_root),
    }
}

/// pivot_root(2) stacks the old root on the new one at `/`, from where it can be detached without a directory to put
/// it in.
fn take_place(tree: &mut Tree) -> Result<()> {
    fchdir(&tree.top).cannot("enter the new root")?;
    pivot_root(".", ".").cannot("switch the root")?;
    tree.program.take().map_or(Ok(()), OwnMount::seal)?;
    unmount(".", UnmountFlags::DETACH).cannot("detach the old root")
}

fn is_root(top: &OwnedFd) -> io::Result<bool> {
    Ok(mount_of(CWD, "/")? == mount_of(top, "")?)
}

/// The initial file system (an initramfs) is what all other mounts of a namespace are on: it can neither be replaced
/// nor detached. Everything else of the old root is detached, and the new one covers it.
fn cover(tree: &mut Tree) -> Result<()> {
    let program = tree.program.take();
    let top = &tree.top;
    let what = || "cover the initial file system".to_owned();
    say(
        "warning: the root is the kernel's initial file system, which can be covered but not detached: who may \
         unmount the new root can see its files again",
    );
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let initial = openat(CWD, "/", flags, Mode::empty()).cannot_with(what)?;
    if mount_of(CWD, "/..").cannot_with(what)? != mount_of(top, "").cannot_with(what)? {
        let both = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(top, "", &initial, "", both).cannot_with(what)?;
    }
    program.map_or(Ok(()), OwnMount::seal)?;
    fchdir(&initial).cannot_with(what)?;
    for path in mounted_on(initial.as_fd()).cannot_with(what)? {
        // Mounts can be stacked; one that a user namespace was given cannot be detached, but is covered as well.
        while unmount(&path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_ok() {}
    }
    fchdir(top).and_then(|()| chroot(".")).and_then(|()| chdir("/")).cannot("enter the new root")
}

/// Where the command starts, found inside the root.
struct Directory {
    name: String,
    fd: OwnedFd,
}

impl Directory {
    fn what(name: &str) -> String {
        format!("start in {name} of the new root")
    }

    /// The `.` asks for a directory that may be entered.
    fn open(root: BorrowedFd<'_>, path: &Path) -> Result<Self> {
        let name = show(path);
        let fd =
            inside::open(root, &path.join("."), Lookup::Followed).cannot_with(|| Directory::what(&name))?;
        Ok(Directory { name, fd })
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
