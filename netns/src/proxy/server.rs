//! The loop of the process: one thing at a time, none of which waits.

use super::connections::{Connections, DESCRIPTORS};
use super::flows::{self, Flows};
use super::listen::Listener;
use super::target::Targets;
use super::watch::{self, Source, Watch};
use crate::published::Protocol;
use chain::{Cannot, Error, Result};
use rustix::event::Timespec;
use rustix::event::epoll::EventFlags;
use std::time::{Duration, Instant};

/// How many events are taken at once.
const EVENTS: usize = 256;
/// Descriptors for other things.
const OTHERS: usize = 16;
/// How often silent senders of UDP are looked for.
const SWEEP: Duration = Duration::from_secs(5);
/// How long nobody is accepted when the kernel has no room for more.
const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// All that it works with.
#[derive(Debug)]
pub struct Server {
    watch: Watch,
    listeners: Vec<Listener>,
    targets: Targets,
    connections: Connections,
    flows: Flows,
    is_paused: bool,
    swept: Instant,
}

impl Server {
    /// For these listeners, with room for so many descriptors; in the namespace that is led to.
    pub fn new(listeners: Vec<Listener>, room: usize) -> Result<Self> {
        let watch = Watch::new().cannot("make an epoll instance")?;
        for (index, listener) in listeners.iter().enumerate() {
            let added = watch.add(&listener.socket, Source::Listener(index), EventFlags::IN);
            added.cannot("wait for connections")?;
        }
        let most = room.saturating_sub(listeners.len() + flows::MOST.min(room / 4) + OTHERS) / DESCRIPTORS;
        Ok(Server {
            watch,
            listeners,
            targets: Targets::new(),
            connections: Connections::new(most.max(1)),
            flows: Flows::new(),
            is_paused: false,
            swept: Instant::now(),
        })
    }

    /// Serves until it is killed; returns only to say why not.
    pub fn run(mut self) -> Error {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            if let Err(errno) = self.watch.wait(&mut events, self.limit().as_ref()) {
                return Error::os("wait for connections", nix::errno::Errno::from_raw(errno.raw_os_error()));
            }
            let mut is_short = false;
            for event in &events {
                let (source, flags) = watch::read(event);
                is_short |= !self.serve(source, flags);
            }
            self.connections.settle();
            self.flows.settle();
            self.sweep();
            self.set_paused(is_short || self.connections.is_full());
        }
    }

    fn limit(&self) -> Option<Timespec> {
        match (self.is_paused, self.flows.is_empty()) {
            (true, _) => Some(PAUSE),
            (false, false) => Timespec::try_from(SWEEP).ok(),
            (false, true) => None,
        }
    }

    /// Whether the kernel had room for it.
    fn serve(&mut self, source: Source, flags: EventFlags) -> bool {
        let Server { watch, listeners, targets, connections, flows, .. } = self;
        match source {
            Source::Listener(index) if listeners[index].protocol == Protocol::Udp => {
                flows.inwards(watch, targets, listeners, index);
            }
            Source::Listener(index) => {
                return connections.accept(watch, targets, listeners, index).is_ok();
            }
            Source::End(number, end) => connections.go_on(watch, targets, listeners, (number, end), flags),
            Source::Flow(number) => flows.outwards(targets, listeners, number),
        }
        true
    }

    fn sweep(&mut self) {
        if self.swept.elapsed() >= SWEEP {
            self.flows.expire();
            self.swept = Instant::now();
        }
    }

    /// Those who come meanwhile wait in the kernel.
    fn set_paused(&mut self, is_paused: bool) {
        if is_paused == self.is_paused {
            return;
        }
        self.is_paused = is_paused;
        let flags = if is_paused { EventFlags::empty() } else { EventFlags::IN };
        let tcp =
            self.listeners.iter().enumerate().filter(|(_, listener)| listener.protocol == Protocol::Tcp);
        for (index, listener) in tcp {
            let _ = self.watch.change(&listener.socket, Source::Listener(index), flags);
        }
    }
}
