//! File descriptors.

use nix::errno::Errno;
use nix::unistd::Pid;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Whether the number is an open descriptor.
pub fn is_open(fd: u32) -> bool {
    // SAFETY: F_GETFD takes a number and touches no memory.
    i32::try_from(fd).is_ok_and(|fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1)
}

/// A second descriptor for what the number `fd` has open, close-on-exec. EBADF when that is nothing.
pub fn duplicate(fd: u32) -> Result<OwnedFd, Errno> {
    let fd = i32::try_from(fd).map_err(|_| Errno::EBADF)?;
    // SAFETY: F_DUPFD_CLOEXEC takes numbers and touches no memory.
    let copy = super::check(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3) }.into())?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
}

/// Closes every descriptor above standard error but those of `keep`, at once: close_range(2), Linux 5.9.
///
/// For a link that has crossed a root boundary and is about to become the next program. Marking them close-on-exec
/// is not enough there: while that program, or the interpreter of a script, is looked up, a symbolic link of a
/// hostile root can lead through /proc/self/fd to what they show. The caller drops its own descriptors before.
///
/// Also for an init, which stays in place while others should not reach its files.
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

/// Has the kernel send SIGIO to this process whenever `pipe` becomes readable: fcntl(2), F_SETOWN and O_ASYNC.
/// Reading from it does not wait any more.
pub fn signal_when_readable(pipe: BorrowedFd<'_>) -> Result<(), Errno> {
    let flags = libc::O_ASYNC | libc::O_NONBLOCK;
    // SAFETY: both commands take a number and touch no memory.
    unsafe {
        super::check(libc::fcntl(pipe.as_raw_fd(), libc::F_SETOWN, Pid::this().as_raw()).into())?;
        super::check(libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags).into()).map(drop)
    }
}
