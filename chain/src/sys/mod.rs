//! The system calls that need `unsafe`, behind safe functions. No other module of the workspace has any.
//!
//! Every tool is single-threaded: that is what makes forking and changing signal state here sound.

pub mod fd;
pub mod keyring;
pub mod landlock;
pub mod mount;
pub mod net;
pub mod ns;
pub mod process;
pub mod seccomp;
pub mod signal;
#[cfg(quick_start)]
mod start;

use nix::errno::Errno;

/// The result of a raw system call, -1 told by errno.
fn check(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result == -1 { Err(Errno::last()) } else { Ok(result) }
}
