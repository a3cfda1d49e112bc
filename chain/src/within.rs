//! Paths resolved inside a root, as a program inside would resolve them, whoever changes them meanwhile.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::{Errno, Result};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// openat2(2) says EAGAIN when a rename elsewhere made it unsure of a `..`.
const MAX_TRIES: usize = 256;

/// Opens `path`, wherever in the root a link leads.
pub fn open_as(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Result<OwnedFd> {
    resolve(root, path, flags, ResolveFlags::NO_MAGICLINKS)
}

/// The same with other rules for links: openat2(2). One that the kernel could not be sure of is tried again.
pub fn resolve(root: BorrowedFd<'_>, path: &Path, flags: OFlags, links: ResolveFlags) -> Result<OwnedFd> {
    let (flags, how) = (flags | OFlags::CLOEXEC, ResolveFlags::IN_ROOT | links);
    let open = || openat2(root, path, flags, Mode::empty(), how);
    let is_sure = |opened: &Result<OwnedFd>| !matches!(opened, Err(Errno::AGAIN));
    std::iter::repeat_with(open).take(MAX_TRIES).find(is_sure).unwrap_or(Err(Errno::AGAIN))
}
