//! A terminal with a program on it, as a user at a keyboard has it.

use crate::run::Run;
use crate::wait::{becomes, patience};
use nix::fcntl::OFlag;
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::Child;
use std::time::Instant;

/// The keys that a terminal turns into signals.
pub const INTERRUPT: &str = "\x03";
/// Quit.
pub const QUIT: &str = "\x1c";
/// Suspend.
pub const SUSPEND: &str = "\x1a";

/// A pseudo-terminal, and the leader of the session that it controls. It does not echo, so that what is seen
/// was written by a program.
#[derive(Debug)]
pub struct Pty {
    master: Option<PtyMaster>,
    child: Child,
    seen: Vec<u8>,
    read: usize,
    what: String,
}

impl Pty {
    /// Starts a command as the leader of a new session on a new terminal: util-linux `setsid --ctty` does what
    /// would need unsafe code here.
    pub fn start(run: &Run) -> Self {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
        grantpt(&master).and_then(|()| unlockpt(&master)).unwrap();
        let name = ptsname_r(&master).unwrap();
        let slave: File = OpenOptions::new().read(true).write(true).open(name).unwrap();
        let mut modes = tcgetattr(&slave).unwrap();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&slave, OptionalActions::Now, &modes).unwrap();
        let mut command = run.command(&["setsid", "--ctty"]);
        command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
        let child = command.spawn().unwrap();
        Pty { master: Some(master), child, seen: Vec::new(), read: 0, what: run.what() }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.master.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line.
    pub fn line(&mut self, line: &str) {
        self.keys(&format!("{line}\n"));
    }

    /// Reads until `part` has been shown after what earlier calls have read, and gives all up to it.
    #[track_caller]
    pub fn until(&mut self, part: &str) -> String {
        let end = Instant::now() + patience(30);
        loop {
            let fresh = &self.seen[self.read..];
            if let Some(at) = fresh.windows(part.len()).position(|window| window == part.as_bytes()) {
                let text = String::from_utf8_lossy(&fresh[..at]).into_owned();
                self.read += at + part.len();
                return text;
            }
            let alive = self.take();
            assert!(
                alive && Instant::now() < end,
                "{part:?} was never shown by {}; seen: {:?}",
                self.what,
                String::from_utf8_lossy(&self.seen)
            );
        }
    }

    /// Takes what there is, waiting a little; false when nobody has the other side open any more.
    fn take(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let master = self.master.as_mut().unwrap();
        let little = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        if poll(&mut [PollFd::new(&master.as_fd(), PollFlags::IN)], Some(&little)).unwrap() == 0 {
            return true;
        }
        match master.read(&mut bytes) {
            Ok(got) => self.seen.extend_from_slice(&bytes[..got]),
            Err(_) => return false,
        }
        true
    }

    /// All that was shown.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// The process group in the foreground.
    pub fn foreground(&self) -> Pid {
        Pid::from_raw(tcgetpgrp(self.master.as_ref().unwrap()).unwrap().as_raw_nonzero().get())
    }

    /// The leader of the session.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// Closes the terminal, as closing its window does: the session gets SIGHUP.
    pub fn hang_up(&mut self) {
        self.master = None;
    }

    /// The leader's exit status, minus n when killed by signal n, once it has ended by itself.
    #[track_caller]
    pub fn done(&mut self) -> i32 {
        let mut status = None;
        let ended = becomes(patience(30), || {
            // A program that writes while it ends must not wait for a reader.
            if self.master.is_some() {
                self.take();
            }
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert!(ended, "{} does not end; seen: {:?}", self.what, self.text());
        crate::Outcome::new(&self.what, status.unwrap(), Vec::new(), Vec::new()).status
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.master = None;
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(self.pid(), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}
