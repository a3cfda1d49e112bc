//! Mounts that nobody sees until they are put somewhere.

use rustix::io;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};
use rustix::path::Arg;
use std::os::fd::{AsFd, OwnedFd};

/// An empty file system in memory, where only root writes.
pub fn memory() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (name, value) in [("source", "toolbox"), ("mode", "0755")] {
        fsconfig_set_string(&context, name, value)?;
    }
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// A second mount of what `path` below `dir` shows, with all that is mounted in it: user namespaces may not uncover
/// what a mount hides.
pub fn copy_all(dir: impl AsFd, path: impl Arg) -> io::Result<OwnedFd> {
    open_tree(dir, path, COPY)
}

/// The same of an entry of a directory, which is not followed when it is a link.
pub fn copy_entry(dir: impl AsFd, name: impl Arg) -> io::Result<OwnedFd> {
    open_tree(dir, name, COPY | OpenTreeFlags::AT_SYMLINK_NOFOLLOW | OpenTreeFlags::AT_NO_AUTOMOUNT)
}

const COPY: OpenTreeFlags =
    OpenTreeFlags::OPEN_TREE_CLONE.union(OpenTreeFlags::OPEN_TREE_CLOEXEC).union(OpenTreeFlags::AT_RECURSIVE);

/// Lets `mount` appear on an open directory, or with `path` on what that names in it.
pub fn attach(mount: impl AsFd, dir: impl AsFd, path: impl Arg) -> io::Result<()> {
    let empty_paths = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", dir, path, empty_paths)
}
