//! UDP: whoever sends something gets a socket inside, so that answers find back, until nothing has gone either way for
//! a while.

use super::datagram::{self, Datagram};
use super::listen::{Listener, family};
use super::slab::Slab;
use super::target::Targets;
use super::watch::{Source, Watch};
use nix::errno::Errno;
use rustix::event::epoll::EventFlags;
use rustix::io;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long it may be silent: as connection tracking has it, nf_conntrack_udp_timeout and ..._timeout_stream.
const UNANSWERED: Duration = Duration::from_secs(30);
/// See above.
const ANSWERED: Duration = Duration::from_secs(120);
/// How many there are at most; then the one that has been silent for longest makes room.
pub const MOST: usize = 1024;
/// How many datagrams are taken before others get their turn.
const AT_ONCE: usize = 64;
/// The longest that there can be.
const LONGEST: usize = 1 << 16;

/// Who has sent: the index of the listener, the sender, and the address that it was sent to.
type Key = (usize, SocketAddr, Option<IpAddr>);

#[derive(Debug)]
struct Flow {
    key: Key,
    socket: OwnedFd,
    last: Instant,
    is_answered: bool,
}

/// All senders.
#[derive(Debug)]
pub struct Flows {
    all: Slab<Flow>,
    numbers: BTreeMap<Key, usize>,
    buffer: Vec<u8>,
}

impl Flows {
    /// None yet.
    pub fn new() -> Self {
        Flows { all: Slab::new(), numbers: BTreeMap::new(), buffer: vec![0; LONGEST] }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Says that what has ended is named no more.
    pub fn settle(&mut self) {
        self.all.settle();
    }

    /// Hands on what has come to a listener.
    pub fn inwards(&mut self, watch: &Watch, targets: &mut Targets, listeners: &[Listener], index: usize) {
        for _ in 0..AT_ONCE {
            match datagram::receive(&listeners[index].socket, &mut self.buffer) {
                Ok(Datagram { length, from, to }) => {
                    self.hand_in(watch, targets, &listeners[index], (index, from, to), length);
                }
                Err(Errno::EAGAIN) => break,
                // Of an answer that did not arrive: udp(7).
                Err(_) => {}
            }
        }
    }

    fn hand_in(
        &mut self,
        watch: &Watch,
        targets: &mut Targets,
        listener: &Listener,
        key: Key,
        length: usize,
    ) {
        // The first refusal is of something sent before, and says that the server has gone from there.
        for _ in 0..2 {
            let Some(number) = self.number(watch, targets, listener, key) else { return };
            let Some(flow) = self.all.get(number) else { return };
            flow.last = Instant::now();
            match send(&flow.socket, &self.buffer[..length], SendFlags::NOSIGNAL) {
                Err(io::Errno::CONNREFUSED) => self.refused(targets, listener, number),
                _ => return,
            }
        }
    }

    fn refused(&mut self, targets: &mut Targets, listener: &Listener, number: usize) {
        targets.forget(listener.protocol, listener.inside, listener.address.is_ipv4());
        self.end(number);
    }

    /// The flow of a sender, made if need be; none when it cannot be.
    fn number(
        &mut self,
        watch: &Watch,
        targets: &mut Targets,
        listener: &Listener,
        key: Key,
    ) -> Option<usize> {
        if let Some(number) = self.numbers.get(&key) {
            return Some(*number);
        }
        let to = targets.find(listener.protocol, listener.inside, listener.address.is_ipv4());
        if self.numbers.len() >= MOST {
            let oldest = self.all.iter().min_by_key(|(_, flow)| flow.last).map(|(number, _)| number);
            oldest.into_iter().for_each(|number| self.end(number));
        }
        let socket = connected(to).ok()?;
        let number = self.all.insert(Flow { key, socket, last: Instant::now(), is_answered: false });
        self.numbers.insert(key, number);
        let flow = self.all.get(number)?;
        if watch.add(&flow.socket, Source::Flow(number), EventFlags::IN).is_err() {
            self.end(number);
            return None;
        }
        Some(number)
    }

    /// Hands on what has come from inside.
    pub fn outwards(&mut self, targets: &mut Targets, listeners: &[Listener], number: usize) {
        for _ in 0..AT_ONCE {
            let Some(flow) = self.all.get(number) else { return };
            let (index, client, own) = flow.key;
            match recv(&flow.socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((_, length)) => {
                    (flow.last, flow.is_answered) = (Instant::now(), true);
                    // One that cannot be sent is lost, as on any way.
                    let _ = datagram::send(&listeners[index].socket, &self.buffer[..length], own, client);
                }
                Err(io::Errno::CONNREFUSED) => return self.refused(targets, &listeners[index], number),
                Err(_) => return,
            }
        }
    }

    /// Ends those that have been silent for long.
    pub fn expire(&mut self) {
        let is_over =
            |flow: &Flow| flow.last.elapsed() > if flow.is_answered { ANSWERED } else { UNANSWERED };
        let over: Vec<usize> =
            self.all.iter().filter(|(_, flow)| is_over(flow)).map(|(number, _)| number).collect();
        over.into_iter().for_each(|number| self.end(number));
    }

    fn end(&mut self, number: usize) {
        if let Some(flow) = self.all.remove(number) {
            self.numbers.remove(&flow.key);
        }
    }
}

fn connected(to: SocketAddr) -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family(to), SocketType::DGRAM, flags, None)?;
    connect(&socket, &to)?;
    Ok(socket)
}
