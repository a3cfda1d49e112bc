//! Waiting for a line of `cgroup.events`.

use crate::hierarchy::file;
use crate::hierarchy::patience::Patience;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::os::fd::AsFd;
use std::time::Duration;

/// The event is delayed by up to 10 ms, and lost when somebody else removes the group meanwhile: the kernel then
/// drops what it had delayed (cgroup_file_notify and cgroup_rm_file in kernel/cgroup/cgroup.c).
const EVENT: Duration = Duration::from_millis(50);

/// Waits until `cgroup.events` says so, or the group has gone; `false` when patience is over.
pub fn until(group: impl AsFd, name: &str, value: u64, patience: &Patience) -> bool {
    let events = match file::open(group, "cgroup.events") {
        Ok(events) => events,
        Err(errno) => return matches!(errno, Errno::NOENT | Errno::NODEV),
    };
    // Reading tells the kernel up to which event this descriptor knows.
    while file::reread(&events).is_ok_and(|text| file::field(&text, name) != Some(value)) {
        let Some(left) = patience.left() else { return false };
        let timeout = Timespec { tv_sec: 0, tv_nsec: left.min(EVENT).subsec_nanos().into() };
        let _ = poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&timeout));
    }
    true
}
