//! The terminal that a waiting link shares with its child.

use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::Pid;
use rustix::process::{Pid as RawPid, getpgrp};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::{tcgetpgrp, tcsetpgrp};
use std::os::fd::BorrowedFd;

/// The terminal whose foreground this process group had when the link started, if it had one.
#[derive(Debug)]
pub struct Terminal(Option<BorrowedFd<'static>>);

impl Terminal {
    /// Notes it.
    pub fn note() -> Self {
        let ours = getpgrp();
        Terminal([stdin(), stdout(), stderr()].into_iter().find(|fd| tcgetpgrp(fd) == Ok(ours)))
    }

    /// Takes the foreground back after a shell that made itself the foreground group has ended: inside a pid
    /// namespace it cannot name our group to give it back. Left alone while that group has a member, since
    /// the caller's shell may have put this whole job into the background. SIGTTOU must be blocked.
    pub fn take_back(&self) {
        if let Some(fd) = self.0
            && let Ok(group) = tcgetpgrp(fd)
            && group != getpgrp()
            && is_gone(group)
        {
            let _ = tcsetpgrp(fd, getpgrp());
        }
    }
}

fn is_gone(group: RawPid) -> bool {
    killpg(Pid::from_raw(group.as_raw_nonzero().get()), None) == Err(Errno::ESRCH)
}
