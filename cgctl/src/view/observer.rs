//! Sees what happens to a group: it is woken where the kernel tells of a change, and compares what is counted.

use crate::existing::{Group, freezer};
use crate::group::{Directories, Directory};
use crate::hierarchy::parent::Parent;
use crate::hierarchy::{Hierarchies, Version, file};
use crate::view::listing::{self, Groups};
use crate::view::watch::Watch;
use chain::Result;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often is looked where the kernel tells of nothing: cgroup v1.
const TICK: Duration = Duration::from_millis(50);

/// How often is looked at the others all the same.
const LOOK: Duration = Duration::from_secs(2);

/// A count of the kernel's, by event: its controller, and file and field of v2 and of v1. Where there is a file
/// `.local` of v2, it counts what happened in the group itself.
struct Count {
    event: &'static str,
    controller: &'static str,
    v2: (&'static str, &'static str),
    v1: (&'static str, &'static str),
}

const COUNTS: [Count; 4] = [
    Count { event: "oom", controller: "memory", v2: ("memory.events", "oom"), v1: ("", "") },
    Count {
        event: "oom_kill",
        controller: "memory",
        v2: ("memory.events", "oom_kill"),
        v1: ("memory.oom_control", "oom_kill"),
    },
    Count { event: "high", controller: "memory", v2: ("memory.events", "high"), v1: ("", "") },
    Count { event: "pids_max", controller: "pids", v2: ("pids.events", "max"), v1: ("pids.events", "max") },
];

/// Everything that is observed.
#[derive(Debug)]
pub struct Observer<'a> {
    all: &'a Hierarchies,
    name: OsString,
    parent: Parent,
    top: Group,
    is_recursive: bool,
    watch: Option<Watch>,
    seen: BTreeMap<PathBuf, Seen>,
}

/// A group as it was when it was last looked at.
#[derive(Debug)]
struct Seen {
    group: Group,
    populated: bool,
    frozen: bool,
    counts: BTreeMap<&'static str, u64>,
    /// Counts the times when v1 was out of memory.
    ooms: Option<OwnedFd>,
    is_silent: bool,
}

impl<'a> Observer<'a> {
    /// Observes the group, and those inside it when that is wanted.
    pub fn find(name: &OsStr, parent: Parent, is_recursive: bool, all: &'a Hierarchies) -> Result<Self> {
        let (top, name) = (Group::find(name, &parent, all)?, name.to_owned());
        Ok(Observer { all, name, parent, top, is_recursive, watch: Watch::new(), seen: BTreeMap::new() })
    }

    /// What has happened since the last call, and whether the group is still there.
    pub fn news(&mut self) -> (Vec<Value>, bool) {
        let mut news = Vec::new();
        self.seen.retain(|_, seen| {
            seen.compare(self.all, self.is_recursive, &mut news);
            let is_there = !has_gone(seen.group.tracking());
            if !is_there {
                news.push(event(&seen.group, "removed", json!({})));
            }
            is_there
        });
        if has_gone(self.top.tracking()) {
            return (news, false);
        }
        for (name, group) in self.groups() {
            if let Some(seen) = self.seen.get_mut(&name) {
                seen.add_parts(group, self.watch.as_ref(), self.all);
            } else {
                let seen = Seen::new(group, self.watch.as_ref(), self.all, self.is_recursive);
                let state = json!({ "populated": seen.populated, "frozen": seen.frozen });
                news.push(event(&seen.group, "watching", state));
                self.seen.insert(name, seen);
            }
        }
        (news, true)
    }

    fn groups(&self) -> Groups {
        let Ok(Some(top)) = Group::look_for(&self.name, &self.parent, self.all) else { return Groups::new() };
        let name = Path::new(&self.name);
        match self.is_recursive {
            true => listing::inside(name, &top, self.all),
            false => Groups::from([(name.to_owned(), top)]),
        }
    }

    /// Until something may have happened; `false` when nobody reads standard output any more.
    pub fn wait(&self) -> bool {
        let is_silent = self.watch.is_none() || self.seen.values().any(|seen| seen.is_silent);
        let timeout = Timespec::try_from(if is_silent { TICK } else { LOOK }).ok();
        let ooms = self.seen.values().filter_map(|seen| seen.ooms.as_ref()).map(AsFd::as_fd);
        let watch = self.watch.iter().map(AsFd::as_fd);
        let sources = ooms.chain(watch).collect::<Vec<_>>();
        // Of an output that is only written to, nothing is told but its end.
        let out = rustix::stdio::stdout();
        let mut polled = vec![PollFd::new(&out, PollFlags::empty())];
        polled.extend(sources.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let _ = poll(&mut polled, timeout.as_ref());
        let is_read = polled[0].revents().is_empty();
        if let Some(watch) = &self.watch {
            watch.drain();
        }
        is_read
    }
}

impl Seen {
    fn new(group: Group, watch: Option<&Watch>, all: &Hierarchies, alone: bool) -> Self {
        let counts = counts(&group, all, alone);
        let (populated, frozen) = (group.is_populated(), freezer::is_frozen(&group));
        let mut seen = Seen { group, populated, frozen, counts, ooms: None, is_silent: false };
        seen.listen(watch, all);
        seen
    }

    fn listen(&mut self, watch: Option<&Watch>, all: &Hierarchies) {
        let memory = self.group.with_controller("memory", all).filter(|found| found.version == Version::V1);
        self.ooms = memory.and_then(count_ooms);
        self.is_silent = memory.is_some() || self.group.tracking().version == Version::V1;
        if let Some(watch) = watch {
            self.group.parts.iter().for_each(|part| watch.add_changes(&part.directory));
        }
    }

    /// A group is made in one hierarchy after the other, and a limit that is set later may need one more.
    fn add_parts(&mut self, group: Group, watch: Option<&Watch>, all: &Hierarchies) {
        if group.parts.len() > self.group.parts.len() {
            self.group = Group { name: std::mem::take(&mut self.group.name), ..group };
            self.listen(watch, all);
        }
    }

    fn compare(&mut self, all: &Hierarchies, alone: bool, news: &mut Vec<Value>) {
        if has_gone(self.group.tracking()) {
            if std::mem::take(&mut self.populated) {
                news.push(event(&self.group, "populated", json!({ "value": false })));
            }
            return;
        }
        let mut now = counts(&self.group, all, alone);
        if let Some(new) = self.ooms.as_ref().and_then(read_eventfd) {
            now.insert("oom", self.counts.get("oom").unwrap_or(&0) + new);
        }
        for (name, total) in now {
            let before = self.counts.insert(name, total).unwrap_or(0);
            if let Some(count) = total.checked_sub(before).filter(|count| *count > 0) {
                news.push(event(&self.group, name, json!({ "count": count, "total": total })));
            }
        }
        let (populated, frozen) = (self.group.is_populated(), freezer::is_frozen(&self.group));
        for (name, before, now) in
            [("frozen", &mut self.frozen, frozen), ("populated", &mut self.populated, populated)]
        {
            if std::mem::replace(before, now) != now {
                news.push(event(&self.group, name, json!({ "value": now })));
            }
        }
    }
}

/// The counts that there are; `alone` for those of the group without the ones inside it.
fn counts(group: &Group, all: &Hierarchies, alone: bool) -> BTreeMap<&'static str, u64> {
    let count = |row: &Count| {
        let directory = group.with_controller(row.controller, all)?;
        let text = match (directory.version, alone) {
            (Version::V2, true) => file::read(directory, &format!("{}.local", row.v2.0))
                .or_else(|_| file::read(directory, row.v2.0)),
            (Version::V2, false) => file::read(directory, row.v2.0),
            (Version::V1, _) => file::read(directory, row.v1.0),
        };
        let field = if directory.version == Version::V1 { row.v1.1 } else { row.v2.1 };
        Some((row.event, file::field(&text.ok()?, field)?))
    };
    COUNTS.iter().filter_map(count).collect()
}

/// Asks for a sign whenever memory runs out: cgroup-v1/memory.rst, "OOM Control".
fn count_ooms(memory: &Directory) -> Option<OwnedFd> {
    let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
    let control = file::open(memory, "memory.oom_control").ok()?;
    let line = format!("{} {}", counter.as_raw_fd(), control.as_raw_fd());
    file::write(memory, "cgroup.event_control", &line).ok()?;
    Some(counter)
}

fn read_eventfd(counter: &OwnedFd) -> Option<u64> {
    let mut bytes = [0; 8];
    rustix::io::read(counter, &mut bytes).ok().filter(|length| *length == 8)?;
    Some(u64::from_ne_bytes(bytes))
}

fn has_gone(directory: &Directory) -> bool {
    matches!(file::read(directory, "cgroup.procs"), Err(Errno::NODEV | Errno::NOENT))
}

fn event(group: &Group, name: &str, more: Value) -> Value {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut object = json!({ "time": time.as_millis() as f64 / 1000.0, "group": group.name, "event": name });
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
