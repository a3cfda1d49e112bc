//! All connections of TCP: how each begins, goes on and ends.

use super::listen::{Listener, family};
use super::slab::Slab;
use super::stream::{INSIDE, OUTSIDE, Pipes, Stream};
use super::target::Targets;
use super::watch::{Source, Watch};
use rustix::event::epoll::EventFlags;
use rustix::io::{Errno, Result};
use rustix::net::sockopt::{set_socket_linger, socket_error};
use rustix::net::{SocketFlags, SocketType, accept_with, connect, socket_with};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// How many are accepted before others get their turn.
const AT_ONCE: usize = 64;
/// What one may need: two sockets and two pipes.
pub const DESCRIPTORS: usize = 6;
const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// The connections.
#[derive(Debug)]
pub struct Connections {
    all: Slab<Connection>,
    pipes: Pipes,
    most: usize,
}

#[derive(Debug)]
struct Connection {
    stream: Stream,
    /// What is waited for at each end; nothing, not even its breaking, at one that is `None`.
    watched: [Option<EventFlags>; 2],
    /// All has been said at an end, both ways.
    has_hung_up: [bool; 2],
    /// The index of the listener that it came from.
    listener: usize,
    /// The server was looked for, and not only guessed.
    has_looked: bool,
}

impl Connections {
    /// At most so many at a time.
    pub fn new(most: usize) -> Self {
        Connections { all: Slab::new(), pipes: Pipes::default(), most }
    }

    /// No more can be taken.
    pub fn is_full(&self) -> bool {
        self.all.len() >= self.most
    }

    /// Says that what has ended is named no more.
    pub fn settle(&mut self) {
        self.all.settle();
    }

    /// Takes those that wait at a listener. An error is one of resources, which are there again later.
    pub fn accept(
        &mut self,
        watch: &Watch,
        targets: &mut Targets,
        listeners: &[Listener],
        index: usize,
    ) -> Result<()> {
        let listener = &listeners[index];
        for _ in 0..AT_ONCE {
            if self.is_full() {
                break;
            }
            match accept_with(&listener.socket, FLAGS) {
                Ok(client) => self.begin(watch, targets, listener, index, client),
                Err(Errno::AGAIN) => break,
                Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                    return Err(errno);
                }
                // That one has gone again, or could not come: accept(2).
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn begin(
        &mut self,
        watch: &Watch,
        targets: &mut Targets,
        listener: &Listener,
        index: usize,
        client: OwnedFd,
    ) {
        let is_v4 = listener.address.is_ipv4();
        let guess = targets.guess(listener.protocol, listener.inside, is_v4);
        let begun = begin_connecting(guess).map(|server| (server, false)).or_else(|_| {
            let second = targets.second(listener.protocol, listener.inside, is_v4);
            begin_connecting(second).map(|server| (server, true))
        });
        let Ok((server, has_looked)) = begun else { return refuse(&client) };
        let stream = Stream::new([client, server]);
        let number = self.all.insert(Connection {
            stream,
            watched: [None; 2],
            has_hung_up: [false; 2],
            listener: index,
            has_looked,
        });
        if self.rewatch(watch, number).is_err() {
            self.abort(number);
        }
    }

    /// Goes on with one.
    pub fn go_on(
        &mut self,
        watch: &Watch,
        targets: &mut Targets,
        listeners: &[Listener],
        (number, end): (usize, usize),
        flags: EventFlags,
    ) {
        let Some(connection) = self.all.get(number) else { return };
        let step = match connection.stream.is_connecting {
            true if end == INSIDE => connection.connected(watch, targets, listeners),
            _ if flags.contains(EventFlags::ERR) => Err(Errno::CONNRESET),
            _ => Ok(()),
        };
        if flags.contains(EventFlags::HUP) && connection.watched[end].is_some_and(|flags| flags.is_empty()) {
            // What it has said is still on its way to the other; the kernel would tell of the end again and again.
            watch.remove(&connection.stream.ends[end]);
            connection.watched[end] = None;
            connection.has_hung_up[end] = true;
        }
        match step.and_then(|()| connection.stream.advance(&mut self.pipes)) {
            Ok(false) if self.rewatch(watch, number).is_ok() => {}
            Ok(true) => drop(self.all.remove(number)),
            _ => self.abort(number),
        }
    }

    fn abort(&mut self, number: usize) {
        if let Some(connection) = self.all.remove(number) {
            connection.stream.abort(&mut self.pipes);
        }
    }

    fn rewatch(&mut self, watch: &Watch, number: usize) -> Result<()> {
        let Some(connection) = self.all.get(number) else { return Ok(()) };
        for end in [OUTSIDE, INSIDE] {
            let (wants, socket) = (connection.stream.wants(end), &connection.stream.ends[end]);
            match connection.watched[end] {
                Some(flags) if flags == wants => continue,
                Some(_) => watch.change(socket, Source::End(number, end), wants)?,
                None if wants.is_empty() && connection.has_hung_up[end] => continue,
                None => watch.add(socket, Source::End(number, end), wants)?,
            }
            connection.watched[end] = Some(wants);
        }
        Ok(())
    }
}

impl Connection {
    /// The end inside has been connected, or refused: then the server is looked for.
    fn connected(&mut self, watch: &Watch, targets: &mut Targets, listeners: &[Listener]) -> Result<()> {
        match socket_error(&self.stream.ends[INSIDE])? {
            Ok(()) => {
                self.stream.is_connecting = false;
                Ok(())
            }
            Err(errno) if self.has_looked => Err(errno),
            Err(_) => {
                let Listener { protocol, address, inside, .. } = &listeners[self.listener];
                let second = targets.second(*protocol, *inside, address.is_ipv4());
                watch.remove(&self.stream.ends[INSIDE]);
                self.watched[INSIDE] = None;
                self.has_looked = true;
                self.stream.ends[INSIDE] = begin_connecting(second)?;
                Ok(())
            }
        }
    }
}

/// A socket that is connected, or about to be.
fn begin_connecting(to: SocketAddr) -> Result<OwnedFd> {
    let socket = socket_with(family(to), SocketType::STREAM, FLAGS, None)?;
    match connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(errno) => Err(errno),
    }
}

/// What comes closest to a port that nobody listens on.
fn refuse(client: &OwnedFd) {
    let _ = set_socket_linger(client, Some(Duration::ZERO));
}
