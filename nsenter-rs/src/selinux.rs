//! The SELinux context of the target for the command: proc_pid_attr(5).

use crate::target::Target;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, OFlags, openat};
use std::fs;
use std::os::fd::OwnedFd;

/// The context of a process.
pub fn context(target: &Target) -> Result<Vec<u8>> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.lines().any(|line| line.ends_with("selinuxfs")) {
        return Err(Error::new("take over the SELinux context", "SELinux is not enabled in this kernel")
            .hint("leave out -Z: there is no context to follow"));
    }
    target.read("attr/current")
}

/// Has the next program start in that context. `own` is this process's directory in the host's /proc.
pub fn follow(context: &[u8], own: &OwnedFd) -> Result<()> {
    let what = || format!("take over the SELinux context {}", String::from_utf8_lossy(context));
    let file = openat(own, "attr/exec", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).cannot_with(what)?;
    rustix::io::write(&file, context).cannot_with(what).map(drop)
}
