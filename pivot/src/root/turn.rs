//! Runs that share a root take turns. A mount point that is missing is made in the root itself, where others find it; to
//! remove it again, when something fails, would take it from them, and silently with it what they have mounted there.
//!
//! So whoever makes one is alone with the root until it is entered, and others wait for that moment. A lock is on the
//! directory, flock(2). Programs of the root can hold it too: that costs patience, and then what was made stays.

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::thread::sleep;
use std::time::Duration;

/// How often another's lock is waited for, and how long each time: a run needs milliseconds.
const TRIES: usize = 1000;
const PAUSE: Duration = Duration::from_millis(1);

/// This run's place among those that share its root.
#[derive(Debug)]
pub struct Turn {
    lock: Option<OwnedFd>,
    alone: Option<bool>,
}

impl Turn {
    /// Waits until nobody makes mount points in `root`. A directory that may not be read cannot be locked.
    pub fn share(root: BorrowedFd<'_>) -> Self {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock = openat(root, ".", flags, Mode::empty()).ok();
        let lock = lock.filter(|lock| wait(lock, FlockOperation::NonBlockingLockShared));
        Turn { lock, alone: None }
    }

    /// To be called before the first change: tries to have the root for this run alone. Where others are just using
    /// it too, what is made now may be theirs as well.
    pub fn take(&mut self) {
        if self.alone.is_some() {
            return;
        }
        let exclusive = |lock| flock(lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        let alone = self.lock.as_ref().is_some_and(exclusive);
        self.alone = Some(alone);
        // A lock that could not be raised is lost, flock(2).
        if let (false, Some(lock)) = (alone, &self.lock) {
            wait(lock, FlockOperation::NonBlockingLockShared);
        }
    }

    /// Whether what was made can be undone.
    pub fn is_alone(&self) -> bool {
        self.alone == Some(true)
    }
}

fn wait(lock: &OwnedFd, operation: FlockOperation) -> bool {
    (0..TRIES).any(|_| {
        flock(lock, operation).is_ok() || {
            sleep(PAUSE);
            false
        }
    })
}
