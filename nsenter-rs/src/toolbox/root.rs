//! The tools put into a root directory that has no place for them, in a mount namespace that nobody else is in.
//!
//! A root that may be read-only, and must not be written to anyway, cannot get another name. So one in memory takes
//! its place that has a name for each of the old, with the same file or directory mounted on it, and one more.

use super::mounts::{attach, copy_entry, memory};
use chain::sys::mount::{RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, mkdirat, mknodat, open,
    openat, readlinkat, statat, symlinkat,
};
use rustix::io;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::process::{chdir, chroot, fchdir, getcwd, pivot_root};
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

const HANDLE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Puts `tools` at `place`, the names on a path from the working directory, which becomes the root directory.
///
/// The mount namespace must be new: only then do its mounts lose their peers in the one that it was copied from,
/// instead of the two of them gaining the new ones.
pub fn put(tools: &OwnedFd, place: &[&OsStr]) -> Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).cannot("make the mounts private").map_err(|e| {
        e.hint_if(Errno::EINVAL, "the root directory is no mount point: this process was put into a chroot")
    })?;
    let root = open(".", HANDLE, Mode::empty()).cannot("open the root directory of the process")?;
    // The mounts of one that hangs elsewhere have not been made private just now.
    if !getcwd(Vec::new()).is_ok_and(|path| path.as_bytes().starts_with(b"/")) {
        return Err(Error::new(
            "copy the root directory of the process",
            "it lies outside of its mount namespace's root",
        ));
    }
    match find(&root, place)? {
        Some(directory) => {
            attach(tools, &directory, "").cannot_with(|| format!("put the tools on {}", path(place)))?;
            chroot(".").cannot("change the root directory")
        }
        None => replace(&root, tools, place),
    }
}

/// The directory, if it is there. None of the names may be a link: they lead elsewhere when a root is put together
/// in which they are none.
fn find(root: &OwnedFd, place: &[&OsStr]) -> Result<Option<OwnedFd>> {
    let mut directory = root.try_clone().cannot("keep the root directory")?;
    for (depth, name) in place.iter().enumerate() {
        let what = || format!("put the tools on {}", path(place));
        directory = match openat(&directory, *name, HANDLE, Mode::empty()) {
            Err(io::Errno::NOENT) => return Ok(None),
            Err(io::Errno::NOTDIR | io::Errno::LOOP) => {
                let why = format!("{} is no directory", path(&place[..=depth]));
                return Err(Error::new(what(), why).hint("name another place: --toolbox=SRC:/DST"));
            }
            opened => opened.cannot_with(what)?,
        };
    }
    Ok(Some(directory))
}

fn path(names: &[&OsStr]) -> String {
    let bytes: Vec<u8> = names.iter().flat_map(|name| [b"/", name.as_bytes()].concat()).collect();
    show(OsStr::from_bytes(&bytes))
}

fn replace(old: &OwnedFd, tools: &OwnedFd, place: &[&OsStr]) -> Result<()> {
    let new = memory().cannot("make a file system in memory")?;
    attach(&new, CWD, "/").cannot("mount a private root directory")?;
    copy(old.as_fd(), new.as_fd(), place)?;
    let directory = make(new.as_fd(), place).cannot_with(|| format!("make {}", path(place)))?;
    attach(tools, &directory, "").cannot_with(|| format!("put the tools on {}", path(place))).map_err(
        |e| e.hint_if(Errno::ELOOP, "a mount namespace is kept on a file in it: name a directory without"),
    )?;
    // What is written there would be lost with the last process, so it had better fail.
    set_attributes(new.as_fd(), RDONLY, false).cannot("make the private root directory read-only")?;
    switch(&new).cannot("switch to the private root directory")
}

/// Names in `to` all that `from` has, but what is on the way to `place`: that is made anew.
fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>, place: &[&OsStr]) -> Result<()> {
    let what = "read the root directory of the process";
    same_owner(from, to).cannot(what)?;
    let on_the_way = place.first().copied().unwrap_or_default();
    let mut entries = Dir::new(read(from).cannot(what)?).cannot(what)?;
    while let Some(entry) = entries.read() {
        let entry = entry.cannot(what)?;
        let name = entry.file_name();
        match name.to_bytes() {
            b"." | b".." => {}
            bytes if bytes == on_the_way.as_bytes() => {
                let sub = || -> io::Result<_> {
                    mkdirat(to, name, Mode::RWXU)?;
                    let handle = |dir| openat(dir, name, HANDLE, Mode::empty());
                    Ok((handle(from)?, handle(to)?))
                };
                let (from, to) = sub().cannot_with(|| copying(name))?;
                copy(from.as_fd(), to.as_fd(), &place[1..])?;
            }
            // What has gone meanwhile is not missed.
            _ => match copy_name(from, to, name) {
                Ok(()) | Err(io::Errno::NOENT) => {}
                Err(errno) => return Err(errno).cannot_with(|| copying(name)).map_err(too_many),
            },
        }
    }
    Ok(())
}

fn copying(name: &CStr) -> String {
    format!("copy {} to the private root directory", show(OsStr::from_bytes(name.to_bytes())))
}

fn too_many(e: Error) -> Error {
    e.hint_if(Errno::ENOSPC, "/proc/sys/fs/mount-max limits the mounts of a namespace")
}

/// For reading, without a trace in its access time where that is allowed.
fn read(dir: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(dir, ".", flags | OFlags::NOATIME, Mode::empty()) {
        Err(io::Errno::PERM) => openat(dir, ".", flags, Mode::empty()),
        opened => opened,
    }
}

/// An owner who has no number here stays out.
fn same_owner(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    let stat = fstat(from)?;
    let to = openat(to, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let _ = fchown(&to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)));
    fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o7777))
}

fn copy_name(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    let kind = FileType::from_raw_mode(statat(from, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
    if kind == FileType::Symlink {
        return symlinkat(readlinkat(from, name, Vec::new())?, to, name);
    }
    let mount = copy_entry(from, name)?;
    match kind {
        FileType::Directory => mkdirat(to, name, Mode::RWXU)?,
        _ => mknodat(to, name, FileType::RegularFile, Mode::empty(), 0)?,
    }
    attach(mount, to, name)
}

/// Makes what is missing of the place, and opens it.
fn make(root: BorrowedFd<'_>, place: &[&OsStr]) -> io::Result<OwnedFd> {
    let mut directory = openat(root, ".", HANDLE, Mode::empty())?;
    for name in place {
        match mkdirat(&directory, *name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(io::Errno::EXIST) => directory = openat(&directory, *name, HANDLE, Mode::empty())?,
            Err(errno) => return Err(errno),
        }
    }
    Ok(directory)
}

/// The kernel's initial file system, and a chroot, cannot be left (EINVAL): they stay below.
fn switch(new: &OwnedFd) -> io::Result<()> {
    fchdir(new)?;
    match pivot_root(".", ".") {
        Ok(()) => unmount(".", UnmountFlags::DETACH)?,
        Err(io::Errno::INVAL) => chroot(".")?,
        Err(errno) => return Err(errno),
    }
    chdir("/")
}
