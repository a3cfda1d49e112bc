//! Waiting that ends: a process in uninterruptible sleep must not hold its cgctl for ever.

use rustix::event::Timespec;
use rustix::thread::nanosleep;
use std::time::{Duration, Instant};

/// Waits that grow from 0.1 ms to 20 ms until a time limit.
#[derive(Debug)]
pub struct Patience {
    end: Instant,
    next: Duration,
}

impl Patience {
    /// Lasts for this long from now.
    pub fn of(limit: Duration) -> Self {
        Patience { end: Instant::now() + limit, next: Duration::from_micros(100) }
    }

    /// What is left of it; `None` when it is over.
    pub fn left(&self) -> Option<Duration> {
        Some(self.end.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// Sleeps for a moment; `false`, at once, when patience is over.
    pub fn pause(&mut self) -> bool {
        let Some(left) = self.left() else { return false };
        let moment = self.next.min(left);
        let _ = nanosleep(&Timespec { tv_sec: 0, tv_nsec: moment.subsec_nanos().into() });
        self.next = (self.next * 2).min(Duration::from_millis(20));
        true
    }
}
