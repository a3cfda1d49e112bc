//! The waiting parent: it starts the next program, stands for it towards the outside, and returns its status.
//!
//! | signal | what the parent does with it |
//! |---|---|
//! | TERM HUP USR1 USR2 | hands it on |
//! | INT QUIT | hands it on when a process sent it; a terminal's own has reached a child of its session already |
//! | WINCH CONT | hands it on |
//! | TSTP TTIN TTOU | stops with the child, and continues it when continued |
//! | CHLD | reaps, and ends with the child |
//! | IO | an init inside tells that its child has been stopped |
//!
//! PID 1 of a pid namespace is special: a signal that it has no handler for does nothing at all
//! (pid_namespaces(7)). The parent then does what the default action would have done.

use crate::error::{Cannot, Error, Result};
use crate::ns::Kind;
use crate::process::{self, Disposition};
use crate::pty::Pty;
use crate::sys::process::{Fork, clone3, release_code, vfork3};
use crate::sys::signal::{self, Received};
use crate::terminal::Terminal;
use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, killpg, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgid, getpgrp, getsid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    PidfdFlags, WaitOptions, WaitStatus, getpid, pidfd_open, set_parent_process_death_signal,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const ENDING: [Signal; 6] =
    [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
const TELLING: [Signal; 2] = [Signal::SIGWINCH, Signal::SIGCONT];
const KILL: i32 = Signal::SIGKILL as i32;
const STOPPING: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// How long a command may run without anybody looking at how much memory its link takes.
const SHORT: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// A link that waits: its signals are blocked from [`Parent::prepare`] on, so that none interrupts what must
/// be undone.
#[derive(Debug)]
pub struct Parent {
    queue: SignalFd,
    inherited: SigSet,
    terminal: Terminal,
    this: OwnedFd,
    tells_stops: Option<OwnedFd>,
}

/// The child of a waiting link, not yet reaped: its pid cannot be another process's.
#[derive(Debug)]
pub struct Child {
    /// Its pid, in the parent's pid namespace.
    pub pid: Pid,
    /// It is PID 1 of a pid namespace, and a program like any other.
    pub is_init: bool,
    /// It is the init of [`crate::init`]: here it tells which signal has stopped its own child.
    pub stops: Option<OwnedFd>,
    ended_for: Option<Signal>,
}

/// How a command has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit status.
    Exited(u8),
    /// By this signal, which may be a real-time one.
    Killed(i32),
}

impl Ended {
    /// The exit status that tells of it: 128+n for signal n.
    pub fn status(self) -> u8 {
        match self {
            Ended::Exited(code) => code,
            Ended::Killed(signal) => 128 + signal as u8,
        }
    }

    fn from_wait(status: WaitStatus) -> Option<Self> {
        let exited = status.exit_status().map(|code| Ended::Exited(code as u8));
        exited.or_else(|| status.terminating_signal().map(Ended::Killed))
    }
}

impl Parent {
    /// Gets ready to wait: blocks the signals of the table above and undoes an inherited "ignore" for SIGCHLD,
    /// with which no status could be had.
    pub fn prepare() -> Result<Self> {
        let watched: SigSet = ENDING
            .into_iter()
            .chain(TELLING)
            .chain(STOPPING)
            .chain([Signal::SIGCHLD, Signal::SIGIO])
            .collect();
        signal::reset(Signal::SIGCHLD).cannot("reset SIGCHLD")?;
        let mut inherited = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched), Some(&mut inherited)).cannot("block signals")?;
        let this = pidfd_open(getpid(), PidfdFlags::empty()).cannot("open a pidfd of this process")?;
        let queue =
            SignalFd::with_flags(&watched, SfdFlags::SFD_CLOEXEC).cannot("open a queue of signals")?;
        Ok(Parent { queue, inherited, terminal: Terminal::note(), this, tells_stops: None })
    }

    /// The same for PID 1, which cannot be stopped: it writes the signal that has stopped its child to `pipe`.
    pub fn prepare_init(pipe: OwnedFd) -> Result<Self> {
        Ok(Parent { tells_stops: Some(pipe), ..Parent::prepare()? })
    }

    /// The descriptors that it needs.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let pipe = self.tells_stops.as_ref().map(AsFd::as_fd);
        [self.this.as_fd(), self.queue.as_fd()].into_iter().chain(pipe).collect()
    }

    /// Starts a child that runs `body`, in new namespaces (`CLONE_NEW*` bits) and, where given, in a group of
    /// the cgroup2 tree. `body` becomes the next program or returns why it could not; the child then prints
    /// that and ends with its status. The child is killed when this process dies.
    ///
    /// Errors are those of clone3(2), for the caller to explain.
    pub fn start(
        &self,
        flags: u64,
        group: Option<BorrowedFd<'_>>,
        body: impl FnOnce() -> Error,
    ) -> Result<Child, Errno> {
        match clone3(flags, group)? {
            Fork::Parent(pid) => Ok(Child::new(pid, flags)),
            Fork::Child => {
                let why = self.set_up_child().map_or_else(|e| e, |()| body());
                std::process::exit(why.report().into())
            }
        }
    }

    /// The same, faster, for a body that waits for nobody and does not change its user: this process stands still
    /// until the body has become the next program.
    pub fn start_at_once(
        &self,
        flags: u64,
        group: Option<BorrowedFd<'_>>,
        mut body: impl FnMut() -> Error,
    ) -> Result<Child, Errno> {
        let mut run = || self.set_up_child().map_or_else(|e| e, |()| body()).report();
        match vfork3(flags, group, &mut run) {
            Ok(pid) => Ok(Child::new(pid, flags)),
            Err(Errno::ENOSYS) => self.start(flags, group, body),
            Err(errno) => Err(errno),
        }
    }

    fn set_up_child(&self) -> Result<()> {
        self.tie(Signal::SIGKILL)?;
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.inherited), None).cannot("restore the signal mask")
    }

    /// In the child: has the kernel send `signal` when the parent dies, and ends at once if it has died already.
    /// To be done again after a change of user, group or capabilities, which undoes it (PR_SET_PDEATHSIG(2const)).
    pub fn tie(&self, signal: Signal) -> Result<()> {
        let signal = rustix::process::Signal::from_named_raw(signal as i32);
        set_parent_process_death_signal(signal).cannot("follow the parent's death")?;
        let mut parent = [PollFd::new(&self.this, PollFlags::IN)];
        let gone = poll(&mut parent, Some(&Timespec::default())).cannot("look at the parent")?;
        if gone > 0 {
            std::process::exit(128 + Signal::SIGKILL as i32);
        }
        Ok(())
    }

    /// Waits for the child to end, passing signals on, and gives its exit status: its own, or 128+n.
    pub fn wait(&self, child: Child) -> Result<u8> {
        self.settle_down()?;
        self.stand_for(child, || self.next_signal()).map(Ended::status)
    }

    /// The same with something else to wait for, and how the child has ended: `or` returns when the queue of signals
    /// that it is given is readable, or with a signal that is treated as if another process had sent it.
    pub fn wait_or(
        &self,
        child: Child,
        mut or: impl FnMut(BorrowedFd<'_>) -> Result<Option<Signal>>,
    ) -> Result<Ended> {
        self.stand_for(child, || match or(self.queue.as_fd())? {
            Some(signal) => Ok(Received { signal, sent: true }),
            None => self.next_signal(),
        })
    }

    /// The same for a child that has called [`Pty::attach`]: relays between its terminal and the caller's meanwhile.
    pub fn wait_relaying(&self, child: Child, mut pty: Pty) -> Result<u8> {
        pty.begin()?;
        release_code();
        let status = self.stand_for(child, || {
            loop {
                pty.relay(self.queue.as_fd())?;
                let received = self.next_signal()?;
                if !pty.takes(received) {
                    return Ok(received);
                }
            }
        });
        pty.finish();
        status.map(Ended::status)
    }

    /// Gives memory back once the command turns out to run for longer: reading the code anew would delay the end
    /// of one that does not.
    fn settle_down(&self) -> Result<()> {
        let mut queue = [PollFd::new(&self.queue, PollFlags::IN)];
        if poll(&mut queue, Some(&SHORT)).cannot("wait for signals")? == 0 {
            release_code();
        }
        Ok(())
    }

    fn next_signal(&self) -> Result<Received> {
        signal::next(&self.queue).cannot("wait for signals")
    }

    fn stand_for(&self, mut child: Child, mut next: impl FnMut() -> Result<Received>) -> Result<Ended> {
        // What had ended before SIGCHLD was blocked has left no signal.
        let mut reaped = self.reap(&child)?;
        let ended = loop {
            if let Some(ended) = reaped {
                break ended;
            }
            let received = next()?;
            match received.signal {
                Signal::SIGIO => self.stop_as_told(&child)?,
                Signal::SIGCHLD => reaped = self.reap(&child)?,
                stop if STOPPING.contains(&stop) => self.stop(&child, received)?,
                Signal::SIGCONT => child.go_on(),
                tell if TELLING.contains(&tell) => child.send(tell),
                _ => child.end(received),
            }
        };
        self.terminal.take_back();
        Ok(match (ended, child.ended_for) {
            (Ended::Killed(KILL), Some(signal)) => Ended::Killed(signal as i32),
            (ended, _) => ended,
        })
    }

    fn stop(&self, child: &Child, received: Received) -> Result<()> {
        match child.as_init(received.signal) {
            Some(Disposition::Default) => {
                child.send(Signal::SIGSTOP);
                self.stop_with(child, received.signal)
            }
            _ if received.sent => {
                child.send(received.signal);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Stops this process too, as a shell's job control expects, and goes on with the child when continued.
    fn stop_with(&self, child: &Child, signal: Signal) -> Result<()> {
        if let Some(pipe) = &self.tells_stops {
            return rustix::io::write(pipe, &[signal as u8]).cannot("tell of a stop").map(drop);
        }
        signal::stop_self(signal).cannot("stop")?;
        child.go_on();
        Ok(())
    }

    /// PID 1 cannot stop, so it has told that its child did.
    fn stop_as_told(&self, child: &Child) -> Result<()> {
        let mut byte = [0];
        let told = child.stops.as_ref().and_then(|pipe| rustix::io::read(pipe, &mut byte).ok());
        match Signal::try_from(i32::from(byte[0])) {
            Ok(signal) if told == Some(1) && STOPPING.contains(&signal) => self.stop_with(child, signal),
            _ => Ok(()),
        }
    }

    /// Reaps all that has changed, also children that were here before this program; how it ended when it is
    /// `child`. A stop by the terminal is shared; one by SIGSTOP is the sender's own affair.
    fn reap(&self, child: &Child) -> Result<Option<Ended>> {
        loop {
            match rustix::process::wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(None) => return Ok(None),
                Ok(Some((pid, status))) if pid.as_raw_pid() == child.pid.as_raw() => {
                    if let Some(ended) = Ended::from_wait(status) {
                        return Ok(Some(ended));
                    }
                    let stopped = status.stopping_signal().and_then(|number| Signal::try_from(number).ok());
                    if let Some(signal) = stopped.filter(|signal| STOPPING.contains(signal)) {
                        self.stop_with(child, signal)?;
                    }
                }
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e).cannot("wait for the command"),
            }
        }
    }
}

impl Child {
    fn new(pid: Pid, flags: u64) -> Self {
        Child { pid, is_init: flags & Kind::Pid.row().flag != 0, stops: None, ended_for: None }
    }

    /// Sends it a signal; it is there, if only as a zombie, until it is reaped.
    pub fn send(&self, signal: Signal) {
        let _ = kill(self.pid, signal);
    }

    /// Continues it. A key may have stopped it again before that, which must not be lost: the same signal is waiting
    /// here then.
    fn go_on(&self) {
        self.send(Signal::SIGCONT);
        if getpgid(Some(self.pid)) == Ok(getpgrp()) {
            let waiting = signal::pending();
            STOPPING.into_iter().filter(|stop| waiting.contains(*stop)).for_each(|stop| self.send(stop));
        }
    }

    fn end(&mut self, received: Received) {
        let by_key = !received.sent && matches!(received.signal, Signal::SIGINT | Signal::SIGQUIT);
        match self.as_init(received.signal) {
            Some(Disposition::Default) => {
                self.ended_for = Some(received.signal);
                self.send(Signal::SIGKILL);
            }
            _ if by_key && self.is_in_another_session() => drop(killpg(self.pid, received.signal)),
            _ if by_key => {}
            _ => self.send(received.signal),
        }
    }

    /// Then it leads that one, and what the keys of this one's terminal send has not reached it.
    fn is_in_another_session(&self) -> bool {
        getsid(Some(self.pid)).is_ok_and(|session| session == self.pid) && getsid(None) != Ok(self.pid)
    }

    /// What it does with `signal` as PID 1; nothing for any other process, which the kernel treats as usual.
    fn as_init(&self, signal: Signal) -> Option<Disposition> {
        if !self.is_init {
            return None;
        }
        // Between fork and exec our own mask is still in force, and says nothing of the command.
        let started = process::in_proc(self.pid).filter(|process| !is_still_this_program(process));
        Some(started.map_or(Disposition::Default, |process| process::settled(&process, signal)))
    }
}

/// The command line of what it becomes is shorter by what this link has read.
fn is_still_this_program(process: &str) -> bool {
    let line = |process: &str| std::fs::read(format!("/proc/{process}/cmdline")).ok();
    line(process) == line("self")
}
