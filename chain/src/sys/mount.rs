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

/// Sets attributes of the mount that `mount` is the root of, and with `recursive` of all mounts below it:
/// mount_setattr(2), Linux 5.12. All or nothing.
pub fn set_attributes(mount: BorrowedFd<'_>, attributes: u64, recursive: bool) -> Result<(), Errno> {
    let attr = libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: 0 };
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
