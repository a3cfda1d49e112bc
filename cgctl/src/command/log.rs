//! `--log`: what the command writes goes on to where it would have gone, and into a file.

use chain::pty::bytes::Bytes;
use chain::text::show;
use chain::{Cannot, Result};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::stdio::{dup2_stderr, dup2_stdout, stderr, stdout};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The file of a log, open.
#[derive(Debug)]
pub struct Log {
    file: File,
    path: PathBuf,
}

/// The two pipes into which the command writes, standard output and standard error.
#[derive(Debug)]
pub struct Pipes {
    reads: [OwnedFd; 2],
    writes: [OwnedFd; 2],
}

/// Takes from the pipes what the command has written, and hands it on.
#[derive(Debug)]
pub struct Relay {
    streams: [Stream; 2],
    log: Option<Log>,
}

#[derive(Debug)]
struct Stream {
    /// Closed when nobody takes what comes any more, so that the command is told in the usual way.
    from: Option<OwnedFd>,
    to: BorrowedFd<'static>,
    bytes: Bytes,
}

impl Log {
    /// Opens it to be added to, or makes it.
    pub fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.cannot_with(|| format!("write {}", show(path)))?;
        Ok(Log { file, path: path.to_owned() })
    }
}

impl Pipes {
    /// Neither end waits on this side.
    pub fn make() -> Result<Self> {
        let pair = || -> Result<(OwnedFd, OwnedFd)> {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).cannot("make a pipe")?;
            let flags = fcntl_getfl(&read).cannot("make a pipe")?;
            fcntl_setfl(&read, flags | OFlags::NONBLOCK).cannot("make a pipe")?;
            Ok((read, write))
        };
        let (out, err) = (pair()?, pair()?);
        Ok(Pipes { reads: [out.0, err.0], writes: [out.1, err.1] })
    }

    /// In the command's process: they become its standard output and error.
    pub fn attach(&self) -> Result<()> {
        let [out, err] = &self.writes;
        dup2_stdout(out).and_then(|()| dup2_stderr(err)).cannot("redirect the command")
    }
}

impl Relay {
    /// When the command has started. From now on a reader who has gone is an error to be handled here, not a signal.
    pub fn begin(pipes: Pipes, log: Log) -> Result<Self> {
        let broken = SigSet::from(Signal::SIGPIPE);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&broken), None).cannot("block signals")?;
        let stream = |from, to| Stream { from: Some(from), to, bytes: Bytes::none() };
        let [out, err] = pipes.reads;
        Ok(Relay { streams: [stream(out, stdout()), stream(err, stderr())], log: Some(log) })
    }

    /// What there is to wait for.
    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        self.streams.iter().filter_map(Stream::interest)
    }

    /// Moves what can be moved without waiting; the log is a file.
    pub fn move_on(&mut self) {
        for index in 0..self.streams.len() {
            let log = &mut self.log;
            if self.streams[index].bytes.is_empty() {
                self.streams[index].fill(log);
            } else {
                self.streams[index].drain();
            }
        }
    }

    /// When all writers have ended: hands on what is left.
    pub fn finish(mut self) {
        for stream in &mut self.streams {
            while stream.interest().is_some() {
                if stream.bytes.is_empty() && !stream.fill(&mut self.log) {
                    break;
                }
                stream.drain();
            }
        }
    }
}

impl Stream {
    fn interest(&self) -> Option<PollFd<'_>> {
        let from = self.from.as_ref()?;
        if self.bytes.is_empty() {
            return Some(PollFd::new(from, PollFlags::IN));
        }
        Some(PollFd::from_borrowed_fd(self.to, PollFlags::OUT))
    }

    /// Whether there was anything.
    fn fill(&mut self, log: &mut Option<Log>) -> bool {
        let Some(from) = &self.from else { return false };
        match self.bytes.fill(from.as_fd()) {
            Ok(0) => self.from = None,
            Ok(_) => write_to(log, self.bytes.rest()),
            Err(Errno::AGAIN | Errno::INTR) => return false,
            Err(_) => self.from = None,
        }
        self.from.is_some()
    }

    fn drain(&mut self) {
        match self.bytes.drain(self.to) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => (self.from, self.bytes) = (None, Bytes::none()),
        }
    }
}

/// A log that cannot be written any more is told once, and the command goes on.
fn write_to(log: &mut Option<Log>, bytes: &[u8]) {
    let Some(open) = log else { return };
    let written = open.file.write_all(bytes).cannot_with(|| format!("write {}", show(&open.path)));
    if let Err(e) = written {
        e.report();
        *log = None;
    }
}
