//! File descriptors.

use nix::errno::Errno;

/// Marks every descriptor from `first` on close-on-exec: close_range(2), Linux 5.11.
pub fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: the call takes three numbers and touches no memory; nothing is closed before exec.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
        .map(drop)
}
