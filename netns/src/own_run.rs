//! A /run that names and host names can be written to, where the host's cannot: in a user and a mount namespace of
//! the caller's own, as `unshare-rs -Urm` makes. It shows all that the host's has, and goes with the mount namespace.

use crate::{attach::hosts, names, refused};
use chain::ns::{self, Kind};
use chain::sys::ns::owner;
use chain::{Cannot, Result};
use rustix::fs::{
    Access, CWD, Dir, FileType, Mode, OFlags, access, fstat, mkdir, mkdirat, open, openat, readlinkat,
    symlinkat,
};
use rustix::io;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree, unmount,
};
use std::ffi::CStr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

const RUN: &str = "/run";
/// What is not shown: the directories that are wanted, and that the host's users may not write to.
const WANTED: [&str; 2] = [names::DIRECTORY, hosts::DIRECTORY];

/// Makes a directory of /run that can be written to, if there is none.
pub fn prepare(directory: &str) -> Result<()> {
    let made = match make(directory) {
        Err(io::Errno::ACCESS | io::Errno::PERM | io::Errno::ROFS) if can_mount() => {
            replace().and_then(|()| make(directory))
        }
        made => made,
    };
    let verb = if Path::new(directory).exists() { "write to" } else { "make" };
    made.cannot_with(|| format!("{verb} {directory}")).map_err(refused::for_names)
}

fn make(directory: &str) -> io::Result<()> {
    match mkdir(directory, Mode::from(0o755)) {
        Err(io::Errno::EXIST) => access(directory, Access::WRITE_OK),
        made => made,
    }
}

/// Whether nobody but who is in this user namespace would see it.
fn can_mount() -> bool {
    let of_mounts = || {
        let mounts = ns::open("self", Kind::Mount).ok()?;
        fstat(owner(mounts.as_fd()).ok()?).ok().map(|stat| stat.st_ino)
    };
    let own = ns::identity("self", Kind::User.row().file).ok().map(|(_, inode)| inode);
    !ns::is_in_first_user_namespace() && own.is_some() && of_mounts() == own
}

/// Mounts a file system in memory on /run, and on it all that was there.
fn replace() -> io::Result<()> {
    let old = open(RUN, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let new = tmpfs()?;
    move_mount(&new, "", CWD, RUN, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
    show_all(&old, &new).inspect_err(|_| {
        let _ = unmount(RUN, UnmountFlags::DETACH);
    })
}

fn tmpfs() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "source", "netns")?;
    fsconfig_set_string(&context, "mode", "755")?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn show_all(old: &OwnedFd, new: &OwnedFd) -> io::Result<()> {
    for entry in Dir::read_from(old)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_wanted = |path: &&str| {
            path.strip_prefix("/run/").is_some_and(|wanted| wanted.as_bytes() == name.to_bytes())
        };
        if name != c"." && name != c".." && !WANTED.iter().any(is_wanted) {
            match show_one(old, new, name, entry.file_type()) {
                // Another process has removed it.
                Err(io::Errno::NOENT) => {}
                other => other?,
            }
        }
    }
    Ok(())
}

fn show_one(old: &OwnedFd, new: &OwnedFd, name: &CStr, kind: FileType) -> io::Result<()> {
    match kind {
        FileType::Symlink => return symlinkat(readlinkat(old, name, Vec::new())?, new, name),
        FileType::Directory => mkdirat(new, name, Mode::from(0o755))?,
        _ => drop(openat(new, name, OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from(0o644))?),
    }
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = open_tree(old, name, flags)?;
    move_mount(&tree, "", new, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}
