//! The terminal: taken over, and given back as it was however the program ends, short of SIGKILL.

use chain::sys::signal::stop_self;
use chain::{Cannot, Error, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpgrp, tcgetpgrp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::os::fd::AsFd;
use std::time::Instant;

const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];
const STOPPING: [Signal; 3] = [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU];

/// The other screen, without a cursor, and with lines that end at the edge.
const START: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const END: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// What the user, the terminal or another process wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The time is over.
    Nothing,
    /// A key; arrows are j, k, J and K.
    Key(char),
    /// The terminal has another size.
    Resize,
    /// The program shall end.
    Signal(Signal),
}

/// The terminal on standard output.
#[derive(Debug)]
pub struct Screen {
    /// It shows colours, and the user wants them.
    pub has_colours: bool,
    queue: SignalFd,
    /// The modes of the keyboard before; `None` without one.
    modes: Option<Termios>,
    keys: Vec<u8>,
}

/// Standard output is a terminal that knows how to move the cursor.
pub fn is_usable() -> bool {
    isatty(stdout()) && std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

impl Screen {
    /// Takes it over. A job in the background waits for the foreground.
    pub fn open() -> Result<Self> {
        let watched: SigSet = ENDING.into_iter().chain(STOPPING).chain([Signal::SIGWINCH]).collect();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&watched), None).cannot("block signals")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let queue = SignalFd::with_flags(&watched, flags).cannot("open a queue of signals")?;
        let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let mut screen = Screen { has_colours, queue, modes: None, keys: Vec::new() };
        screen.start()?;
        Ok(screen)
    }

    fn start(&mut self) -> Result<()> {
        while tcgetpgrp(stdout()).is_ok_and(|group| group != getpgrp()) {
            stop_self(Signal::SIGTTOU).cannot("stop")?;
        }
        self.modes = tcgetattr(stdin()).ok();
        if let Some(before) = &self.modes {
            let mut modes = before.clone();
            // Keys come one by one; those for signals stay what they are.
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(stdin(), OptionalActions::Now, &modes).cannot("set the terminal")?;
        }
        write(START)
    }

    fn end(&self) {
        let _ = write(END);
        if let Some(modes) = &self.modes {
            let _ = tcsetattr(stdin(), OptionalActions::Now, modes);
        }
    }

    /// Columns and lines.
    pub fn size(&self) -> (usize, usize) {
        let size = tcgetwinsize(stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
        size.map_or((80, 24), |size| (size.ws_col.into(), size.ws_row.into()))
    }

    /// Shows these lines and nothing else.
    pub fn draw(&self, lines: &[String]) -> Result<()> {
        // Before the text: after a line that reaches the edge, the cursor is on its last character.
        let text: Vec<String> = lines.iter().map(|line| format!("\x1b[K{line}")).collect();
        let below = if lines.len() < self.size().1 { "\r\n\x1b[J" } else { "" };
        write(&format!("\x1b[H{}{below}", text.join("\r\n")))
    }

    /// Waits until something happens, at most until `end`.
    pub fn wait(&mut self, end: Instant) -> Happening {
        loop {
            if let Some(happening) = self.next_signal().or_else(|| self.next_key()) {
                return happening;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Happening::Nothing;
            }
            self.poll(Timespec::try_from(left).ok().as_ref());
        }
    }

    fn poll(&mut self, timeout: Option<&Timespec>) {
        let queue = self.queue.as_fd();
        let keyboard = stdin();
        let mut sources = vec![PollFd::new(&queue, PollFlags::IN)];
        sources.extend(self.modes.is_some().then(|| PollFd::new(&keyboard, PollFlags::IN)));
        let is_ready = poll(&mut sources, timeout).is_ok_and(|count| count > 0);
        if is_ready && sources.get(1).is_some_and(|source| !source.revents().is_empty()) {
            let mut bytes = [0; 64];
            match rustix::io::read(keyboard, &mut bytes) {
                Ok(length) if length > 0 => self.keys.extend_from_slice(&bytes[..length]),
                // The keyboard has gone.
                _ => self.modes = None,
            }
        }
    }

    fn next_signal(&mut self) -> Option<Happening> {
        let info = self.queue.read_signal().ok()??;
        let signal = i32::try_from(info.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok())?;
        match signal {
            Signal::SIGWINCH => Some(Happening::Resize),
            signal if STOPPING.contains(&signal) => {
                self.end();
                let stopped = stop_self(signal).cannot("stop").and_then(|()| self.start());
                Some(if stopped.is_ok() { Happening::Resize } else { Happening::Signal(Signal::SIGHUP) })
            }
            signal => Some(Happening::Signal(signal)),
        }
    }

    fn next_key(&mut self) -> Option<Happening> {
        const ARROWS: [(&[u8], char); 6] = [
            (b"\x1b[A", 'k'),
            (b"\x1bOA", 'k'),
            (b"\x1b[B", 'j'),
            (b"\x1bOB", 'j'),
            (b"\x1b[5~", 'K'),
            (b"\x1b[6~", 'J'),
        ];
        let arrow = ARROWS.into_iter().find(|(bytes, _)| self.keys.starts_with(bytes));
        let (length, key) = match arrow {
            Some((bytes, key)) => (bytes.len(), key),
            None => (1, char::from(*self.keys.first()?)),
        };
        self.keys.drain(..length);
        Some(Happening::Key(key))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends this process by a signal that was kept back, as its sender expects. Returns only if it does not.
pub fn end_by(signal: Signal) -> Error {
    let _ = kill(Pid::this(), signal);
    let _ = sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&SigSet::from(signal)), None);
    Error::new("go on", format_args!("{signal} has been sent")).code(128 + signal as u8)
}

fn write(text: &str) -> Result<()> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        match rustix::io::write(stdout(), rest) {
            Ok(length) => rest = &rest[length..],
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e).cannot("write to the terminal"),
        }
    }
    Ok(())
}
