//! The terminal that a waiting link shares with its child.

use nix::errno::Errno;
use nix::sys::signal::killpg;
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};
use rustix::stdio::{stderr, stdin, stdout};
use std::os::fd::BorrowedFd;

/// The terminal whose foreground this process group had when the link started, if it had one.
#[derive(Debug)]
pub struct Terminal(Option<BorrowedFd<'static>>);

impl Terminal {
    /// Notes it. Not when the group was made outside of this pid namespace, where it has no number (it reads 0)
    /// and cannot be given the foreground.
    pub fn note() -> Self {
        let ours = Some(getpgrp()).filter(|group| group.as_raw() > 0);
        let in_front = |fd: &BorrowedFd<'_>| ours.is_some() && tcgetpgrp(fd).ok() == ours;
        Terminal([stdin(), stdout(), stderr()].into_iter().find(in_front))
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

/// Whether a group of this pid namespace has no member left; one from outside of it cannot be asked for.
fn is_gone(group: Pid) -> bool {
    group.as_raw() > 0 && killpg(group, None) == Err(Errno::ESRCH)
}
