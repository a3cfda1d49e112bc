//! The caller's terminal, while another one is relayed to it.

use crate::error::{Cannot, Result};
use crate::sys::signal::stop_self;
use nix::sys::signal::Signal;
use nix::unistd::{getpgrp, tcgetpgrp};
use rustix::io;
use rustix::stdio::{stderr, stdin, stdout};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr};

/// The terminal on standard input.
#[derive(Debug)]
pub struct Outer {
    modes: Termios,
    is_raw: bool,
    was_raw: bool,
}

impl Outer {
    /// Looks for it, as one that may be used: a job in the background stops first, as any does that wants the
    /// terminal. SIGTTOU must be blocked.
    pub fn find() -> Result<Option<Self>> {
        if tcgetattr(stdin()).is_ok() && !is_in_front() {
            stop_self(Signal::SIGTTOU).cannot("stop")?;
        }
        let outer = |modes| Outer { modes, is_raw: false, was_raw: false };
        Ok(tcgetattr(stdin()).ok().map(outer))
    }

    /// The modes that it had.
    pub fn modes(&self) -> Termios {
        self.modes.clone()
    }

    /// Has every key come through as it is, if this job has the foreground; whether it has.
    pub fn take_over(&mut self) -> io::Result<bool> {
        if self.is_raw {
            return Ok(true);
        }
        if !is_in_front() {
            return Ok(false);
        }
        if !self.was_raw {
            // In the background they would have been those of the shell that reads its next command.
            self.modes = tcgetattr(stdin())?;
        }
        let mut raw = self.modes();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        (self.is_raw, self.was_raw) = (true, true);
        Ok(true)
    }

    /// Sets it right.
    pub fn give_back(&mut self) {
        if std::mem::take(&mut self.is_raw) && is_in_front() {
            let _ = tcsetattr(stdin(), OptionalActions::Now, &self.modes);
        }
    }

    /// Someone else has set it right.
    pub fn forget(&mut self) {
        self.is_raw = false;
    }
}

/// The size of the caller's terminal, whichever descriptor it is on.
pub fn size() -> Option<Winsize> {
    [stdin(), stdout(), stderr()].into_iter().find_map(|fd| tcgetwinsize(fd).ok())
}

/// Whether this process group may use the terminal on standard input. A terminal that does not control this
/// session has no foreground.
fn is_in_front() -> bool {
    !tcgetpgrp(stdin()).is_ok_and(|group| group != getpgrp())
}
