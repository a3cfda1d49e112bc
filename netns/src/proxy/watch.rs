//! What is waited for: epoll(7).

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use std::os::fd::{AsFd, OwnedFd};

/// Where something has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The listener of this index.
    Listener(usize),
    /// The connection of this number, at this end.
    End(usize, usize),
    /// The flow of this number.
    Flow(usize),
}

impl Source {
    fn data(self) -> EventData {
        let (number, kind) = match self {
            Source::Listener(number) => (number, 0),
            Source::Flow(number) => (number, 1),
            Source::End(number, end) => (number, 2 + end),
        };
        EventData::new_u64((number as u64) << 2 | kind as u64)
    }

    fn of(data: EventData) -> Self {
        let number = (data.u64() >> 2) as usize;
        match data.u64() & 3 {
            0 => Source::Listener(number),
            1 => Source::Flow(number),
            kind => Source::End(number, kind as usize - 2),
        }
    }
}

/// The set of sockets that are waited for.
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// An empty one.
    pub fn new() -> Result<Self> {
        epoll::create(CreateFlags::CLOEXEC).map(Watch)
    }

    /// Waits for one more socket.
    pub fn add(&self, socket: impl AsFd, source: Source, flags: EventFlags) -> Result<()> {
        epoll::add(&self.0, socket, source.data(), flags)
    }

    /// Waits for something else to happen to it.
    pub fn change(&self, socket: impl AsFd, source: Source, flags: EventFlags) -> Result<()> {
        epoll::modify(&self.0, socket, source.data(), flags)
    }

    /// Waits for it no longer.
    pub fn remove(&self, socket: impl AsFd) {
        let _ = epoll::delete(&self.0, socket);
    }

    /// Waits until something has happened, or the time is up.
    pub fn wait(&self, events: &mut Vec<Event>, limit: Option<&Timespec>) -> Result<()> {
        events.clear();
        match epoll::wait(&self.0, spare_capacity(events), limit) {
            Err(errno) if errno != Errno::INTR => Err(errno),
            _ => Ok(()),
        }
    }
}

/// What has happened, and where.
pub fn read(event: &Event) -> (Source, EventFlags) {
    (Source::of(event.data), event.flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_survives_the_kernel() {
        for source in [Source::Listener(7), Source::Flow(0), Source::End(5, 0), Source::End(1 << 40, 1)] {
            assert_eq!(Source::of(source.data()), source);
        }
    }
}
