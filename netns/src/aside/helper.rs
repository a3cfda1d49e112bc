//! A process that does something for the command for as long as that runs.

use chain::child::{Child, Ended, Parent};
use chain::error::say;
use chain::sys::process::release_code;
use chain::{Cannot, Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, setsid, waitid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// How long a command may run without anybody looking at how much memory its link takes.
const SHORT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// How long a helper may take to get ready. It is 20 ms or so.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
/// How much of what it says on the way is kept, in bytes.
const LOG: usize = 16 << 10;

/// It is killed when this goes out of scope, and by the kernel when this process is killed.
#[derive(Debug)]
pub struct Helper {
    pidfd: OwnedFd,
    loss: &'static str,
}

impl Helper {
    /// Starts it, and waits until it is ready; what it has said when it gives up.
    ///
    /// `body` becomes another program, or serves until it is killed. It has `input` as its standard input, and tells
    /// that it is ready by a number on its standard output. `loss` is what to say when it ends before the command does.
    pub fn start(
        parent: &Parent,
        input: impl AsFd,
        loss: &'static str,
        body: impl FnOnce() -> Error,
    ) -> Result<Result<Self, String>> {
        let (ready, tell) = pipe_with(PipeFlags::CLOEXEC).cannot("make a pipe")?;
        let log = log().cannot("make a file in memory")?;
        let run = || set_apart(input.as_fd(), tell.as_fd(), log.as_fd()).map_or_else(|e| e, |()| body());
        let child = parent.start(0, None, run).map_err(|errno| Error::os("start a process", errno))?;
        drop(tell);
        let pid = Pid::from_raw(child.pid.as_raw()).unwrap_or(Pid::INIT);
        let helper = Helper { pidfd: pidfd_open(pid, PidfdFlags::empty()).cannot("open a pidfd")?, loss };
        let mut end = [PollFd::new(&ready, PollFlags::IN)];
        if poll(&mut end, Some(&PATIENCE)).cannot("wait for a process")? == 0 {
            return Ok(Err("nothing for 10 seconds".to_owned()));
        }
        let mut told = [0; 1];
        rustix::io::read(&ready, &mut told).cannot("wait for a process")?;
        Ok(if told[0].is_ascii_digit() { Ok(helper) } else { Err(content(&File::from(log))) })
    }
}

/// Keys of the terminal are for the command, which may take them and go on.
fn set_apart(input: BorrowedFd<'_>, output: BorrowedFd<'_>, log: BorrowedFd<'_>) -> Result<()> {
    setsid().cannot("start a session")?;
    let handed = dup2_stdin(input).and_then(|()| dup2_stdout(output)).and_then(|()| dup2_stderr(log));
    handed.cannot("hand descriptors on")
}

/// A file in memory that cannot grow, as nobody reads it later.
fn log() -> rustix::io::Result<OwnedFd> {
    let file = memfd_create("log", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, LOG as u64)?;
    fcntl_add_seals(&file, SealFlags::GROW)?;
    Ok(file)
}

fn content(log: &File) -> String {
    let mut text = vec![0; LOG];
    let _ = log.read_at(&mut text, 0);
    String::from_utf8_lossy(&text).replace('\0', "")
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        // It may have been reaped by now, with whatever else has ended.
        let _ = waitid(WaitId::PidFd(self.pidfd.as_fd()), WaitIdOptions::EXITED);
    }
}

/// Waits for the command as [`Parent::wait`] does, and says which of the helpers end before it.
pub fn wait(parent: &Parent, child: Child, mut helpers: Vec<Helper>) -> Result<u8> {
    if helpers.is_empty() {
        return parent.wait(child);
    }
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
