//! A process that does something for the command for as long as that runs.

use chain::child::{Child, Ended, Parent};
use chain::error::say;
use chain::sys::process::release_code;
use chain::{Cannot, Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, setsid, waitid,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How long a command may run without anybody looking at how much memory its link takes.
const SHORT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// It is killed when this goes out of scope, and by the kernel when this process is killed.
#[derive(Debug)]
pub struct Helper {
    pidfd: OwnedFd,
    loss: &'static str,
}

impl Helper {
    /// Starts it: `body` becomes another program, or serves until it is killed. `loss` is what to say when it
    /// ends before the command does.
    pub fn start(parent: &Parent, loss: &'static str, body: impl FnOnce() -> Error) -> Result<Self> {
        // Keys of the terminal are for the command, which may take them and go on.
        let apart = || setsid().cannot("start a session");
        let run = || apart().map_or_else(|e| e, |_| body());
        let child = parent.start(0, None, run).map_err(|errno| Error::os("start a process", errno))?;
        let pid = Pid::from_raw(child.pid.as_raw()).unwrap_or(Pid::INIT);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).cannot("open a pidfd")?;
        Ok(Helper { pidfd, loss })
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        // By now it may have been reaped with the children of others.
        let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// Waits for the command as [`Parent::wait`] does, and says which of the helpers end before it.
pub fn wait(parent: &Parent, child: Child, mut helpers: Vec<Helper>) -> Result<u8> {
    let mut limit = Some(SHORT);
    let ended = parent.wait_or(child, |queue| {
        while !is_readable(queue, &helpers, limit.as_ref())? {
            helpers.retain(|helper| !helper.has_ended());
            if limit.take().is_some() {
                release_code();
            }
        }
        Ok(None)
    });
    ended.map(Ended::status)
}

impl Helper {
    fn has_ended(&self) -> bool {
        let mut end = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let has = poll(&mut end, Some(&Timespec::default())).is_ok_and(|count| count > 0);
        if has {
            say(&format!("warning: {}", self.loss));
        }
        has
    }
}

/// Whether there is something in the queue, once there is or a helper has ended or the time is up.
fn is_readable(queue: BorrowedFd<'_>, helpers: &[Helper], limit: Option<&Timespec>) -> Result<bool> {
    let ends = helpers.iter().map(|helper| helper.pidfd.as_fd());
    let mut all: Vec<PollFd<'_>> =
        std::iter::once(queue).chain(ends).map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    poll(&mut all, limit).cannot("wait for signals")?;
    Ok(!all[0].revents().is_empty())
}
