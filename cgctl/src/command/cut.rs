//! What ends a command before its time: a time limit, and the death of the one who started cgctl.

use crate::command::log::Relay;
use crate::group::Group;
use chain::sys::process::release_code;
use chain::{Cannot, Error, Result};
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getppid, pidfd_open, set_parent_process_death_signal};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long a command may run without anybody looking at how much memory its link takes.
const SHORT: Duration = Duration::from_millis(50);

/// How long a command may run.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Until it is sent TERM.
    pub timeout: Duration,
    /// From then on, until everything in the group is killed.
    pub kill_after: Duration,
}

/// Why a command did not end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its time was up, and it ended on TERM.
    TimeUp,
    /// Its time was up, and TERM did not end it.
    Killed,
    /// The parent of cgctl has died.
    Orphaned,
}

/// Watches one command.
#[derive(Debug)]
pub struct Watch<'a> {
    limit: Option<Limit>,
    deadline: Option<Instant>,
    parent: Option<&'a OwnedFd>,
    /// What happened, if anything did.
    pub cut: Option<Cut>,
    relay: &'a mut Option<Relay>,
    continues: bool,
    is_settled: bool,
}

impl<'a> Watch<'a> {
    /// From now on; `relay` takes what the command writes.
    pub fn begin(limit: Option<Limit>, parent: Option<&'a OwnedFd>, relay: &'a mut Option<Relay>) -> Self {
        let deadline = limit.map(|limit| Instant::now() + limit.timeout);
        Watch { limit, deadline, parent, cut: None, relay, continues: false, is_settled: false }
    }

    /// Returns when there is a signal in `queue`, or with one that the command is to get. Kills what is in the group
    /// when its time has come.
    pub fn next(&mut self, queue: BorrowedFd<'_>, group: &Group) -> Result<Option<Signal>> {
        loop {
            // One that has been stopped would not see the TERM before it.
            if std::mem::take(&mut self.continues) {
                return Ok(Some(Signal::SIGCONT));
            }
            match self.wait(queue)? {
                Event::Signal => return Ok(None),
                Event::Output => self.relay.iter_mut().for_each(Relay::move_on),
                Event::Quiet => {
                    self.is_settled = true;
                    release_code();
                }
                Event::ParentDied => self.kill(group, Cut::Orphaned),
                Event::TimeUp if self.cut.is_some() => self.kill(group, Cut::Killed),
                Event::TimeUp => {
                    self.cut = Some(Cut::TimeUp);
                    self.deadline = self.limit.map(|limit| Instant::now() + limit.kill_after);
                    self.continues = true;
                    return Ok(Some(Signal::SIGTERM));
                }
            }
        }
    }

    fn kill(&mut self, group: &Group, cut: Cut) {
        (self.cut, self.deadline, self.parent) = (Some(cut), None, None);
        if let Err(e) = group.kill() {
            e.report();
        }
    }

    fn wait(&self, queue: BorrowedFd<'_>) -> Result<Event> {
        let left = self.deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = if self.is_settled { left } else { Some(left.map_or(SHORT, |left| left.min(SHORT))) };
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let parent = self.parent.map(|parent| PollFd::new(parent, PollFlags::IN));
        let first = 1 + usize::from(parent.is_some());
        let output = self.relay.iter().flat_map(Relay::interests);
        let queue = std::iter::once(PollFd::from_borrowed_fd(queue, PollFlags::IN));
        let mut all: Vec<PollFd<'_>> = queue.chain(parent).chain(output).collect();
        match poll(&mut all, timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(Event::of(&all, first)),
            Err(e) => return Err(e).cannot("wait for signals"),
        }
        let is_over = self.deadline.is_some_and(|end| Instant::now() >= end);
        Ok(if is_over { Event::TimeUp } else { Event::Quiet })
    }
}

enum Event {
    Signal,
    ParentDied,
    /// The command has written, or what it wrote can go on.
    Output,
    TimeUp,
    /// The command turns out to run for longer.
    Quiet,
}

impl Event {
    /// Of the queue of signals, perhaps the parent, and from `first` on what is relayed.
    fn of(all: &[PollFd<'_>], first: usize) -> Self {
        match all.iter().position(|fd| !fd.revents().is_empty()) {
            Some(0) | None => Event::Signal,
            Some(index) if index < first => Event::ParentDied,
            Some(_) => Event::Output,
        }
    }
}

/// A descriptor that becomes readable when the parent of this process dies: pidfd_open(2).
pub fn parent() -> Result<OwnedFd> {
    let unseen = || Error::new("follow the parent's death", "it is in another pid namespace");
    let parent = getppid().ok_or_else(unseen)?;
    let pidfd = pidfd_open(parent, PidfdFlags::empty()).cannot("follow the parent's death")?;
    is_still(parent).map(|()| pidfd)
}

/// Has the kernel kill this process, and what it becomes, when its parent dies: PR_SET_PDEATHSIG(2const).
pub fn die_with_parent() -> Result<()> {
    let parent = getppid();
    let what = "follow the parent's death";
    set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).cannot(what)?;
    parent.map_or(Ok(()), is_still)
}

fn is_still(parent: rustix::process::Pid) -> Result<()> {
    if getppid() == Some(parent) {
        return Ok(());
    }
    Err(Error::new("follow the parent's death", "it has died already"))
}
