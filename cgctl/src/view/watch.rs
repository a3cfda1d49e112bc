//! Waiting for what the kernel tells of a group.

use crate::existing::Group;
use crate::group::Directory;
use crate::hierarchy::file;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

/// How often v1, which tells nothing of emptiness, is asked.
const TICK: Duration = Duration::from_millis(20);

/// How often a group is looked at that would have told of a change.
const LOOK: Duration = Duration::from_secs(1);

/// Waits until no process is left in the group, or it has gone; `false` at `end`.
pub fn until_empty(group: &Group, end: Option<Instant>) -> bool {
    let mut watch = Watch::new().filter(|watch| watch.add_removal(group.tracking()));
    let mut events = file::open(group.tracking(), "cgroup.events").ok();
    loop {
        events = events.filter(|events| watch.is_some() && file::reread(events).is_ok());
        watch = watch.filter(|_| events.is_some());
        if !group.is_populated() {
            return true;
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        let is_told = events.is_some() && group.tracking().is_populated();
        let pause = if is_told { LOOK } else { TICK };
        wait(events.as_ref(), watch.as_ref(), left.map_or(pause, |left| left.min(pause)));
    }
}

fn wait(events: Option<&OwnedFd>, watch: Option<&Watch>, limit: Duration) {
    let timeout = Timespec::try_from(limit).ok();
    let events = events.map(|events| PollFd::new(events, PollFlags::PRI));
    let watch = watch.map(|watch| PollFd::new(&watch.0, PollFlags::IN));
    let _ = poll(&mut events.into_iter().chain(watch).collect::<Vec<_>>(), timeout.as_ref());
}

/// What the file system tells of groups that come, go and change: inotify(7).
#[derive(Debug)]
pub struct Watch(OwnedFd);

impl Watch {
    /// A new one; `None` when there are too many already.
    pub fn new() -> Option<Self> {
        inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok().map(Watch)
    }

    /// Tells when the group is removed.
    pub fn add_removal(&self, group: &Directory) -> bool {
        self.add(&group.path, WatchFlags::DELETE_SELF)
    }

    fn add(&self, path: &Path, what: WatchFlags) -> bool {
        inotify::add_watch(&self.0, path, what).is_ok()
    }
}

/// The files that the kernel changes by itself. Those ending in `.local` count what is in the group alone.
const EVENTS: [&str; 5] =
    ["cgroup.events", "memory.events", "memory.events.local", "pids.events", "pids.events.local"];

impl Watch {
    /// Tells when something happens to the group, when one is made or removed in it, and when it is removed.
    pub fn add_changes(&self, group: &Directory) {
        self.add(&group.path, WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::DELETE_SELF);
        for name in EVENTS {
            self.add(&group.path.join(name), WatchFlags::MODIFY);
        }
    }

    /// Forgets what it has told.
    pub fn drain(&self) {
        let mut buffer = [0; 4096];
        while rustix::io::read(&self.0, &mut buffer).is_ok_and(|length| length > 0) {}
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
