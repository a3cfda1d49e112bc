//! A terminal of the command's own, and the relay between it and the caller's.
//!
//! Whoever has a terminal open can put characters into its input (TIOCSTI), which the caller's shell would then
//! read as commands. With a terminal in between, the inside has only its own to do that to. The keys that make
//! signals are keys like any other for the caller's terminal, and are signals for the foreground group inside.

pub mod bytes;
mod outer;

use crate::error::{Cannot, Result};
use crate::sys::signal::Received;
use bytes::{Bytes, CHUNK};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use outer::Outer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{self, Errno, fcntl_dupfd_cloexec, write};
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout, stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, isatty, tcgetattr, tcsetattr, tcsetwinsize,
};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// More than the kernel keeps for a terminal whose writers have gone.
const LEFT_OVER: usize = 64 * CHUNK;
/// Milliseconds between looks at whether an end of input has been read.
const LOOKS: (u32, u32) = (20, 1000);
/// Milliseconds between looks at whether this job has got the foreground.
const IN_BACKGROUND: u32 = 200;

const OWN: OpenptFlags = OpenptFlags::RDWR.union(OpenptFlags::NOCTTY).union(OpenptFlags::CLOEXEC);
const MAKE: &str = "make a terminal";

/// A new pseudo terminal, and what goes back and forth between it and this process's standard input and output.
#[derive(Debug)]
pub struct Pty {
    /// Until the caller's terminal hangs up, or nobody reads standard output any more: then this one does.
    master: Option<OwnedFd>,
    /// Kept open, so that a command can close its terminal and open it again.
    peer: OwnedFd,
    /// The caller's terminal, if standard input is one.
    outer: Option<Outer>,
    input: Input,
    keys: Bytes,
    shown: Bytes,
}

/// The state of standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// It is a terminal whose foreground another job has.
    Paused,
    /// At its end, which is to be looked after in so many milliseconds.
    Ended(u32),
}

impl Pty {
    /// Makes one with the modes and the size of the caller's terminal, by this process's own /dev/ptmx: before a
    /// link enters anything, and with [`crate::child::Parent`] prepared. What is no terminal on the caller's side is passed on unchanged: no echo of a
    /// standard input that is a file, no carriage returns for a standard output that is one.
    pub fn open() -> Result<Self> {
        let not_waiting = OpenptFlags::from_bits_retain(OFlags::NONBLOCK.bits());
        let master = openpt(OWN | not_waiting).cannot(MAKE).map_err(|e| {
            e.hint_if(nix::errno::Errno::ENOENT, "it takes /dev/ptmx: mount -t devpts devpts /dev/pts")
        })?;
        let peer = peer(&master)?;
        Pty::of(master, peer)
    }

    /// The same on `master`, which comes of opening the ptmx of any devpts and does not wait (O_NONBLOCK), and its
    /// [`peer`].
    pub fn of(master: OwnedFd, peer: OwnedFd) -> Result<Self> {
        let what = MAKE;
        let [master, peer] = [master, peer].map(above_standard);
        let pty = Pty {
            master: Some(master.cannot(what)?),
            peer: peer.cannot(what)?,
            outer: Outer::find()?,
            input: Input::Open,
            keys: Bytes::none(),
            shown: Bytes::none(),
        };
        pty.set_modes().cannot("set up the terminal")?;
        pty.resize();
        Ok(pty)
    }

    fn set_modes(&self) -> io::Result<()> {
        let mut modes = match &self.outer {
            Some(outer) => outer.modes(),
            None => tcgetattr(&self.peer)?,
        };
        if self.outer.is_none() {
            modes.local_modes.remove(LocalModes::ECHO);
        }
        if !isatty(stdout()) {
            modes.output_modes.remove(OutputModes::OPOST);
        }
        tcsetattr(&self.peer, OptionalActions::Now, &modes)
    }

    /// In the child: leads a new session on the terminal, with it as standard input, output and error.
    pub fn attach(&self) -> Result<()> {
        let peer = &self.peer;
        setsid().and_then(|_| ioctl_tiocsctty(peer)).cannot("take the terminal as its own")?;
        dup2_stdin(peer)
            .and_then(|()| dup2_stdout(peer))
            .and_then(|()| dup2_stderr(peer))
            .cannot("work on the terminal")
    }

    /// The descriptors that the relay needs, besides the standard ones.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.master.iter().map(AsFd::as_fd).chain([self.peer.as_fd()]).collect()
    }

    /// Begins to relay: a reader of standard output that ends is no reason to end without setting the terminal right.
    pub(crate) fn begin(&self) -> Result<()> {
        let pipe = SigSet::from(Signal::SIGPIPE);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&pipe), None).cannot("block SIGPIPE")
    }

    /// Relays until there is something to read from `signals`.
    pub(crate) fn relay(&mut self, signals: BorrowedFd<'_>) -> Result<()> {
        self.take_over().cannot("take over the terminal")?;
        while !self.pump(signals).cannot("relay to the terminal")? {}
        Ok(())
    }

    /// Does with a signal what is the relay's to do; whether that was all there is to do.
    pub(crate) fn takes(&mut self, received: Received) -> bool {
        match received.signal {
            Signal::SIGWINCH => {
                self.resize();
                true
            }
            // Here the terminal is not the one that the command has, so it has not reached that yet.
            Signal::SIGINT if !received.sent => {
                self.press(SpecialCodeIndex::VINTR);
                true
            }
            Signal::SIGQUIT if !received.sent => {
                self.press(SpecialCodeIndex::VQUIT);
                true
            }
            // Whoever stopped this process, a shell has set its terminal right since.
            Signal::SIGCONT => {
                self.outer.as_mut().map(Outer::forget);
                false
            }
            Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU => {
                self.outer.as_mut().map(Outer::give_back);
                false
            }
            _ => false,
        }
    }

    /// Shows what a command has left that has ended, and sets the caller's terminal right.
    pub(crate) fn finish(mut self) {
        let mut left = LEFT_OVER;
        while let Some(master) = self.master.as_ref().filter(|_| left > 0) {
            if self.shown.is_empty() && !matches!(self.shown.fill(master.as_fd()), Ok(1..)) {
                break;
            }
            left = left.saturating_sub(self.shown.count());
            self.show();
        }
    }

    /// Has the keys of the caller's terminal, as far as this job has its foreground; in the background it only shows.
    fn take_over(&mut self) -> io::Result<()> {
        if let Some(outer) = &mut self.outer {
            let is_ours = outer.take_over()?;
            self.input = match self.input {
                Input::Ended(wait) => Input::Ended(wait),
                _ if is_ours => Input::Open,
                _ => Input::Paused,
            };
            self.resize();
        }
        Ok(())
    }

    /// Takes the size of the caller's terminal; the kernel tells the foreground group.
    fn resize(&self) {
        if let (Some(size), Some(master)) = (outer::size(), &self.master) {
            let _ = tcsetwinsize(master, size);
        }
    }

    /// Presses a key of the terminal's; one that is 0 does not exist.
    fn press(&self, key: SpecialCodeIndex) {
        let Some(master) = &self.master else { return };
        let byte = tcgetattr(master).map_or(0, |modes| modes.special_codes[key]);
        if byte != 0 {
            let _ = write(master, &[byte]);
        }
    }

    /// Moves what can be moved, waiting if that is nothing; whether a signal is there.
    fn pump(&mut self, signals: BorrowedFd<'_>) -> io::Result<bool> {
        let [input, output, pty] = self.wanted();
        // A descriptor that nothing is wanted of would still report a hang-up, again and again.
        let ask = |fd, events: PollFlags| {
            PollFd::from_borrowed_fd(if events.is_empty() { signals } else { fd }, events)
        };
        let master = self.master.as_ref().map_or(signals, AsFd::as_fd);
        let mut ready =
            [ask(signals, PollFlags::IN), ask(stdin(), input), ask(stdout(), output), ask(master, pty)];
        let count = match poll(&mut ready, self.timeout().as_ref()) {
            Err(Errno::INTR) => return Ok(false),
            polled => polled?,
        };
        let [signal, input, output, pty] = ready.map(|fd| fd.revents());
        if !output.is_empty() {
            self.show();
        }
        self.exchange(pty);
        if !input.is_empty() {
            self.type_in();
        }
        match self.input {
            Input::Ended(wait) if wait == 0 || count == 0 => self.end_input_again(wait)?,
            // A shell tells nobody that it gives the foreground to a job which is running.
            Input::Paused if count == 0 => self.take_over()?,
            _ => {}
        }
        Ok(!signal.is_empty())
    }

    /// What is wanted of standard input, standard output and the terminal.
    fn wanted(&self) -> [PollFlags; 3] {
        let if_so = |flag, so| if so { flag } else { PollFlags::empty() };
        let open = self.master.is_some();
        [
            if_so(PollFlags::IN, open && self.input == Input::Open && self.keys.is_empty()),
            if_so(PollFlags::OUT, open && !self.shown.is_empty()),
            if_so(PollFlags::IN, open && self.shown.is_empty())
                | if_so(PollFlags::OUT, open && !self.keys.is_empty()),
        ]
    }

    fn timeout(&self) -> Option<Timespec> {
        let wait = match self.input {
            Input::Ended(wait) => wait,
            Input::Paused => IN_BACKGROUND,
            Input::Open => return None,
        };
        self.master.as_ref().map(|_| Timespec { tv_sec: 0, tv_nsec: i64::from(wait) * 999_999 })
    }

    /// Reads from the caller. A terminal that is at its end has hung up, and so does this one.
    fn type_in(&mut self) {
        self.input = match self.keys.fill(stdin()) {
            Ok(1..) | Err(Errno::INTR | Errno::AGAIN) => Input::Open,
            Err(Errno::IO) if self.outer.is_some() => Input::Paused,
            Ok(0) | Err(_) => Input::Ended(0),
        };
        if self.input == Input::Ended(0) && self.outer.is_some() {
            self.master = None;
        }
    }

    /// Writes to the caller. One who reads no more is a terminal that has hung up.
    fn show(&mut self) {
        match self.shown.drain(stdout()) {
            Ok(()) | Err(Errno::INTR) => {}
            // Someone else has made it not wait.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::from_borrowed_fd(stdout(), PollFlags::OUT)], None);
            }
            Err(_) => self.master = None,
        }
    }

    /// Reads from the terminal and writes to it.
    fn exchange(&mut self, ready: PollFlags) {
        let Some(master) = &self.master else { return };
        if ready.contains(PollFlags::OUT) {
            let _ = self.keys.drain(master.as_fd());
        }
        if ready.contains(PollFlags::IN) && self.shown.is_empty() {
            let _ = self.shown.fill(master.as_fd());
        }
    }

    /// The end of a file stays its end for whoever reads from it again; the end key counts once. So it is pressed
    /// again whenever the last one has been read.
    fn end_input_again(&mut self, wait: u32) -> io::Result<()> {
        let mut unread = [PollFd::new(&self.peer, PollFlags::IN)];
        if !self.keys.is_empty() || poll(&mut unread, Some(&Timespec::default()))? > 0 {
            self.input = Input::Ended((wait * 2).clamp(LOOKS.0, LOOKS.1));
        } else {
            self.press(SpecialCodeIndex::VEOF);
            self.input = Input::Ended(LOOKS.0);
        }
        Ok(())
    }
}

/// The other end of the terminal of which this is the master: while its devpts is still mounted.
pub fn peer(master: &OwnedFd) -> Result<OwnedFd> {
    unlockpt(master).and_then(|()| ioctl_tiocgptpeer(master, OWN)).cannot(MAKE)
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.outer.as_mut().map(Outer::give_back);
    }
}

/// A caller may have started this with standard descriptors closed; the terminal must not take their place.
fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    fcntl_dupfd_cloexec(fd, 3)
}
