//! Attributes of mounts.

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The mount is read-only (linux/mount.h).
pub const RDONLY: u64 = 0x1;
/// Set-user-ID bits and file capabilities have no effect.
pub const NOSUID: u64 = 0x2;
/// Device nodes cannot be opened.
pub const NODEV: u64 = 0x4;
/// Programs cannot be run from it.
pub const NOEXEC: u64 = 0x8;

/// Times of access are not noted.
pub const NOATIME: u64 = 0x10;
/// Each time of access is noted.
pub const STRICTATIME: u64 = 0x20;
/// All bits that tell how times of access are noted; none of them is "now and then", the default.
pub const ATIME: u64 = 0x70;
/// Times of access of directories are not noted.
pub const NODIRATIME: u64 = 0x80;
/// Symbolic links are not followed.
pub const NOSYMFOLLOW: u64 = 0x20_0000;

/// What is mounted below is seen here only.
pub const PRIVATE: u64 = libc::MS_PRIVATE;
/// What is mounted below in the mount that this one follows is seen here, but not the other way round.
pub const SLAVE: u64 = libc::MS_SLAVE;
/// Like [`PRIVATE`], and the mount cannot be copied.
pub const UNBINDABLE: u64 = libc::MS_UNBINDABLE;
/// What is mounted below is seen in every copy of the mount, whichever it is mounted in.
pub const SHARED: u64 = libc::MS_SHARED;

/// Sets attributes of the mount that `mount` is the root of, and with `recursive` of all mounts below it:
/// mount_setattr(2), Linux 5.12. All or nothing.
pub fn set_attributes(mount: BorrowedFd<'_>, attributes: u64, recursive: bool) -> Result<(), Errno> {
    exchange_attributes(mount, 0, attributes, recursive)
}

/// Takes attributes away again; see [`set_attributes`]. EPERM where a more privileged mount namespace had set them.
pub fn clear_attributes(mount: BorrowedFd<'_>, attributes: u64, recursive: bool) -> Result<(), Errno> {
    exchange_attributes(mount, attributes, 0, recursive)
}

/// Takes attributes away, then sets others, in one step; see [`set_attributes`]. Of [`ATIME`] all bits are taken or
/// none.
pub fn exchange_attributes(
    mount: BorrowedFd<'_>,
    taken: u64,
    given: u64,
    recursive: bool,
) -> Result<(), Errno> {
    let attr = libc::mount_attr { attr_set: given, attr_clr: taken, propagation: 0, userns_fd: 0 };
    change(mount, attr, recursive)
}

/// Makes the mount [`PRIVATE`], [`SLAVE`], [`UNBINDABLE`] or [`SHARED`], which after the first begins a group of its
/// own: mount_setattr(2), mount_namespaces(7). It may be one that is not attached anywhere yet.
pub fn set_propagation(mount: BorrowedFd<'_>, propagation: u64) -> Result<(), Errno> {
    change(mount, libc::mount_attr { attr_set: 0, attr_clr: 0, propagation, userns_fd: 0 }, false)
}

/// The same for the mount and all below it.
pub fn set_propagation_of_all(mount: BorrowedFd<'_>, propagation: u64) -> Result<(), Errno> {
    change(mount, libc::mount_attr { attr_set: 0, attr_clr: 0, propagation, userns_fd: 0 }, true)
}

/// Makes the mount and all below it [`PRIVATE`], also where they are not attached anywhere yet.
pub fn make_private(mount: BorrowedFd<'_>) -> Result<(), Errno> {
    set_propagation_of_all(mount, PRIVATE)
}

/// Has the ids of the file system read as those of the user namespace `users`: what is user 0's there shows as user
/// 0's of the namespace. For a mount that is not attached anywhere yet; EINVAL where the file system cannot,
/// mount_setattr(2), "ID-mapped mounts".
pub fn map_ids(mount: BorrowedFd<'_>, users: BorrowedFd<'_>, recursive: bool) -> Result<(), Errno> {
    let userns_fd = users.as_raw_fd() as u64;
    let attr = libc::mount_attr { attr_set: libc::MOUNT_ATTR_IDMAP, attr_clr: 0, propagation: 0, userns_fd };
    change(mount, attr, recursive)
}

fn change(mount: BorrowedFd<'_>, attr: libc::mount_attr, recursive: bool) -> Result<(), Errno> {
    let flags = libc::AT_EMPTY_PATH | if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a terminated string, `attr` a live mount_attr of the size given.
    super::check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of_val(&attr),
        )
    })
    .map(drop)
}
