//! File descriptors.

use nix::errno::Errno;

/// Marks every descriptor from `first` on close-on-exec: close_range(2), Linux 5.11.
pub fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    // SAFETY: the call takes three numbers and touches no memory; nothing is closed before exec.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) })
        .map(drop)
}

/// Whether the number is an open descriptor.
pub fn is_open(fd: u32) -> bool {
    // SAFETY: F_GETFD takes a number and touches no memory.
    i32::try_from(fd).is_ok_and(|fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1)
}

/// Closes every descriptor above standard error but those of `keep`, at once: close_range(2), Linux 5.9.
///
/// For a link that has crossed a root boundary and is about to become the next program. Marking them close-on-exec
/// is not enough there: while that program, or the interpreter of a script, is looked up, a symbolic link of a
/// hostile root can lead through /proc/self/fd to what they show. The caller drops its own descriptors before.
pub fn close_from_3_except(keep: &[u32]) -> Result<(), Errno> {
    let mut keep: Vec<u32> = keep.iter().copied().filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut first = 3;
    for fd in keep {
        if first < fd {
            close_range(first, fd - 1)?;
        }
        first = fd.saturating_add(1);
    }
    close_range(first, u32::MAX)
}

fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: the call takes three numbers and touches no memory; by the contract above nothing uses
    // these descriptors any more.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) }).map(drop)
}
