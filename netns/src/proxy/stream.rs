//! A connection of TCP: two sockets, and between them, each way, a pipe that splice(2) moves pages by. A pipe is there
//! only while something is in it, so that a connection at rest takes no more than its sockets.

use rustix::event::epoll::EventFlags;
use rustix::io::{Errno, Result};
use rustix::net::sockopt::{set_socket_keepalive, set_socket_linger, set_tcp_nodelay};
use rustix::net::{Shutdown, shutdown};
use rustix::pipe::{PipeFlags, SpliceFlags, pipe_with, splice};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// How much is moved at once, in bytes: what a pipe holds, pipe(7).
const CHUNK: usize = 64 << 10;
/// How many times before others get their turn.
const ROUNDS: usize = 16;
/// How many empty pipes are kept for the next.
const SPARE: usize = 16;

/// The end of a pipe to take out of, and the end to put into.
type Pipe = (OwnedFd, OwnedFd);

/// Empty pipes.
#[derive(Debug, Default)]
pub struct Pipes(Vec<Pipe>);

impl Pipes {
    fn take(&mut self) -> Result<Pipe> {
        self.0.pop().map_or_else(|| pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK), Ok)
    }

    fn give_back(&mut self, pipe: Option<Pipe>) {
        self.0.extend(pipe.filter(|_| self.0.len() < SPARE));
    }
}

/// The index of the end outside, and of the one inside. A way has the index of the end that it comes from.
pub const OUTSIDE: usize = 0;
/// See above.
pub const INSIDE: usize = 1;

/// A connection.
#[derive(Debug)]
pub struct Stream {
    /// Both ends.
    pub ends: [OwnedFd; 2],
    /// The end inside is not connected yet.
    pub is_connecting: bool,
    ways: [Way; 2],
}

#[derive(Debug, Default)]
struct Way {
    pipe: Option<Pipe>,
    held: usize,
    /// Nothing more will come.
    is_over: bool,
    /// That was told to the other end.
    is_shut: bool,
}

impl Stream {
    /// Between two sockets that do not wait.
    pub fn new(ends: [OwnedFd; 2]) -> Self {
        for end in &ends {
            let _ = set_tcp_nodelay(end, true).and_then(|()| set_socket_keepalive(end, true));
        }
        Stream { ends, is_connecting: true, ways: Default::default() }
    }

    /// Moves what can be moved; whether both ways have come to their end.
    pub fn advance(&mut self, pipes: &mut Pipes) -> Result<bool> {
        if !self.is_connecting {
            for from in [OUTSIDE, INSIDE] {
                let (source, sink) = (&self.ends[from], &self.ends[1 - from]);
                self.ways[from].advance(source, sink, pipes)?;
            }
        }
        Ok(self.ways.iter().all(|way| way.is_shut))
    }

    /// What has to happen at an end for more to be moved.
    pub fn wants(&self, end: usize) -> EventFlags {
        let is_for_connecting = self.is_connecting && end == INSIDE;
        let mut flags = EventFlags::empty();
        flags.set(EventFlags::IN, !self.is_connecting && self.ways[end].can_read());
        flags.set(EventFlags::OUT, is_for_connecting || self.ways[1 - end].held > 0);
        flags
    }

    /// Ends it as a broken connection, so that nobody takes half of something for all of it.
    pub fn abort(self, pipes: &mut Pipes) {
        for end in &self.ends {
            let _ = set_socket_linger(end, Some(Duration::ZERO));
        }
        self.ways.into_iter().filter(|way| way.held == 0).for_each(|way| pipes.give_back(way.pipe));
    }
}

impl Way {
    fn can_read(&self) -> bool {
        self.held == 0 && !self.is_over
    }

    fn advance(&mut self, source: &OwnedFd, sink: &OwnedFd, pipes: &mut Pipes) -> Result<()> {
        for _ in 0..ROUNDS {
            if self.can_read() && !self.fill(source, pipes)? {
                break;
            }
            if self.held > 0 && !self.drain(sink)? {
                break;
            }
            if self.is_over && self.held == 0 {
                self.shut(sink);
                break;
            }
        }
        if self.held == 0 {
            pipes.give_back(self.pipe.take());
        }
        Ok(())
    }

    /// Whether something came, if only the end.
    fn fill(&mut self, source: &OwnedFd, pipes: &mut Pipes) -> Result<bool> {
        let (_, end) = match &mut self.pipe {
            Some(pipe) => pipe,
            none => none.insert(pipes.take()?),
        };
        let moved = ready(splice(source, None, end, None, CHUNK, FLAGS))?;
        self.held = moved.unwrap_or(0);
        self.is_over = moved == Some(0);
        Ok(moved.is_some())
    }

    /// Whether anything could be handed on.
    fn drain(&mut self, sink: &OwnedFd) -> Result<bool> {
        let Some((end, _)) = &self.pipe else { return Ok(false) };
        let moved = ready(splice(end, None, sink, None, self.held, FLAGS))?;
        self.held -= moved.unwrap_or(0);
        Ok(moved.is_some())
    }

    fn shut(&mut self, sink: &OwnedFd) {
        if !self.is_shut {
            // One that is not connected any more has been told.
            let _ = shutdown(sink, Shutdown::Write);
            self.is_shut = true;
        }
    }
}

const FLAGS: SpliceFlags = SpliceFlags::MOVE.union(SpliceFlags::NONBLOCK);

/// None when it would have to wait.
fn ready(moved: Result<usize>) -> Result<Option<usize>> {
    match moved {
        Ok(count) => Ok(Some(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(errno) => Err(errno),
    }
}
