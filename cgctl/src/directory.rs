//! One directory of a group, owned by this process: made, emptied, removed.

use crate::file;
use crate::hierarchy::Version;
use crate::lock;
use crate::mark::{self, Announcement, Mark};
use crate::patience::Patience;
use crate::place::{Base, DIRECTORY, Kind, Place, is_transient};
use crate::plan::INHERIT;
use crate::tree;
use chain::error::say;
use chain::process::Status;
use chain::{Cannot, Error, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, fchmod, mkdirat};
use rustix::io::{self, Errno};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long processes get to end after SIGKILL, before it is told and after.
const PATIENT: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];
/// The same for somebody else's, which may as well wait for the next chance.
const HASTY: [Duration; 1] = [Duration::from_millis(200)];

/// The event is delayed by up to 10 ms, and lost when somebody else removes the group meanwhile: the kernel then
/// drops what it had delayed (cgroup_file_notify and cgroup_rm_file in kernel/cgroup/cgroup.c).
const EVENT: Duration = Duration::from_millis(50);

/// How long a lock without a living owner is waited for.
const LAST_MOMENTS: Duration = Duration::from_millis(100);

/// How long a name is waited for whose group somebody is removing.
const REMOVAL: Duration = Duration::from_secs(2);

/// A locked directory of a group.
#[derive(Debug)]
pub struct Directory {
    /// The version of its hierarchy.
    pub version: Version,
    /// Its whole path.
    pub path: PathBuf,
    fd: OwnedFd,
    _held: Vec<OwnedFd>,
    made: Vec<OwnedFd>,
}

/// What came of trying to make a directory.
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Made(Directory),
    /// Another cgctl has a group of this name.
    InUse,
    /// There is one that stays, or is none of ours.
    There,
}

/// Races with those who remove the directory of groups as soon as it is empty are lost a few times at most.
const ATTEMPTS: u32 = 1000;

/// Makes the directory `name` in `place` and locks it. What an orphan of that name left is removed first, if it is a
/// name that was given; the others are many.
pub fn claim(place: &Place, name: &str) -> io::Result<Claim> {
    let patience = &mut Patience::of(REMOVAL);
    for _ in 0..ATTEMPTS {
        match place.open().and_then(|base| make(place, base, name)) {
            Ok(Some(directory)) => return Ok(Claim::Made(directory)),
            Ok(None) if place.kind == Kind::Transient => return Ok(Claim::InUse),
            Ok(None) => match adopt(place, name) {
                Ok(Adoption::Ours(orphan)) => drop(orphan.end()),
                Ok(Adoption::None) => return Ok(Claim::There),
                Ok(Adoption::Owned) => return Ok(Claim::InUse),
                Ok(Adoption::Leaving) if !patience.pause() => return Ok(Claim::InUse),
                Ok(Adoption::Leaving) | Err(Errno::NOENT | Errno::NODEV) => {}
                Err(e) => return Err(e),
            },
            Err(Errno::NOENT | Errno::NODEV) => {}
            Err(e) => return Err(e),
        }
    }
    Err(Errno::NOENT)
}

/// `None` when it is there already.
fn make(place: &Place, base: Base, name: &str) -> io::Result<Option<Directory>> {
    if place.kind == Kind::Named {
        lock::share(&base.fd)?;
    }
    let is_to_be_marked = place.kind == Kind::Inside;
    let announcement = is_to_be_marked.then(|| Announcement::make(&base.fd, OsStr::new(name))).flatten();
    match mkdirat(&base.fd, name, Mode::RWXU) {
        Err(Errno::EXIST) => return Ok(None),
        other => other?,
    }
    let fd = file::directory_in(&base.fd, name)?;
    let path = place.path().join(name);
    let directory = Directory { version: place.version, path, fd, _held: base.held, made: base.made };
    let is_ours = lock::take(&directory.fd);
    match place.kind {
        Kind::Named if !is_ours => return Err(Errno::BUSY),
        // It was taken for an orphan.
        Kind::Transient | Kind::Inside if !(is_ours && lock::is_at(&directory.fd, &base.fd, name)) => {
            return Err(Errno::NOENT);
        }
        _ => {}
    }
    let ready = fchmod(&directory.fd, Mode::from_raw_mode(0o755));
    let marked = || if is_to_be_marked { mark::set(&directory.fd, Mark::Goes) } else { Ok(()) };
    if let Err(e) = ready.and_then(|()| marked()).and_then(|()| place.prepare(&base.fd, &directory.fd)) {
        let _ = directory.end();
        return Err(e);
    }
    drop(announcement);
    Ok(Some(directory))
}

/// What is the matter with a name that is taken.
enum Adoption {
    /// An orphan, now ours to remove.
    Ours(Directory),
    /// A cgctl that lives has it.
    Owned,
    /// Somebody is removing it.
    Leaving,
    /// It needs no owner.
    None,
}

/// Takes over the group `name` when nobody owns it.
fn adopt(place: &Place, name: &str) -> io::Result<Adoption> {
    let base = file::directory(&place.path())?;
    if place.kind == Kind::Named {
        lock::exclude(&base)?;
    }
    let fd = file::directory_in(&base, name)?;
    let path = place.path().join(name);
    let is_unmarked = mark::get(&fd).is_none();
    if Directory::open(place.version, path.clone())?.stays() || is_unmarked && place.kind == Kind::Inside {
        return Ok(Adoption::None);
    }
    let is_leaving = lock::take_part(&fd);
    Ok(match Directory::adopt_closely(place.version, path, fd) {
        Some(orphan) => Adoption::Ours(orphan),
        None if is_leaving => Adoption::Leaving,
        None => Adoption::Owned,
    })
}

impl Directory {
    /// Opens the directory of a group that is there, without taking it over.
    pub fn open(version: Version, path: PathBuf) -> io::Result<Self> {
        let fd = file::directory(&path)?;
        Ok(Directory { version, path, fd, _held: Vec::new(), made: Vec::new() })
    }

    /// Takes over an open directory when nobody owns it, to remove it. With a name, the lock becomes a shared one
    /// then, which tells those who want the name to wait, and the directory of groups must be locked by the caller.
    pub fn adopt(version: Version, path: PathBuf, fd: OwnedFd) -> Option<Self> {
        let directory = Directory { version, path, fd, _held: Vec::new(), made: Vec::new() };
        directory.is_orphan().then_some(directory)
    }

    /// The same, with a closer look at who holds the lock.
    pub fn adopt_closely(version: Version, path: PathBuf, fd: OwnedFd) -> Option<Self> {
        let directory = Directory { version, path, fd, _held: Vec::new(), made: Vec::new() };
        let is_ours = directory.is_orphan() || directory.is_held_from_within() || directory.is_let_go();
        (is_ours && !directory.stays()).then_some(directory)
    }

    /// The child of a killed owner has the lock too until it starts the command, and dies a moment after the owner.
    fn is_let_go(&self) -> bool {
        let patience = &mut Patience::of(LAST_MOMENTS);
        let is_alive = |pid: &i32| std::fs::exists(format!("/proc/{pid}")).unwrap_or(true);
        while !lock::holders(&self.fd).iter().any(is_alive) {
            if self.is_orphan() {
                return true;
            }
            if !patience.pause() {
                break;
            }
        }
        false
    }

    fn is_orphan(&self) -> bool {
        if self.has_shared_base() {
            self.is_takeable() && !self.stays()
        } else {
            lock::take(&self.fd) && lock::take_part(&self.fd) && !self.stays()
        }
    }

    /// A group without a name never does, whatever a program in it has made of its mark.
    fn stays(&self) -> bool {
        let is_named = !self.path.file_name().is_some_and(is_transient);
        is_named
            && match mark::get(&self.fd) {
                Some(Mark::Stays) => true,
                Some(Mark::Lasts) => self.is_populated(),
                Some(Mark::Goes) | None => false,
            }
    }

    /// It stands in a directory that others can lock as well.
    fn has_shared_base(&self) -> bool {
        let holder = self.path.parent().and_then(Path::file_name);
        self.path.file_name().is_some_and(is_transient) || holder.is_none_or(|holder| holder != DIRECTORY)
    }

    /// Makes it, and what was made on the way to it, stay when this process ends.
    pub fn keep(&self, mark: Mark) -> io::Result<()> {
        self.made.iter().chain([&self.fd]).try_for_each(|fd| mark::set(fd, mark))
    }

    /// Nobody else has it, and its path leads to it.
    fn is_takeable(&self) -> bool {
        lock::take(&self.fd) && lock::is_at(&self.fd, rustix::fs::CWD, &self.path)
    }

    /// A program in the group can lock its directory too, to pass for an owner after the owner has been killed.
    /// No cgctl is ever in the group that it owns, but for a [leaf](crate::controllers::Leaf), where it is alone.
    fn is_held_from_within(&self) -> bool {
        if self.path.file_name().is_some_and(crate::controllers::is_leaf) {
            return false;
        }
        let holders = lock::holders(&self.fd);
        let within = self.processes();
        !holders.is_empty() && holders.iter().all(|holder| within.contains(holder))
    }

    /// Writes a limit to one of its files; `NODEV` when it has been removed.
    pub fn set(&self, name: &str, text: &str) -> io::Result<()> {
        match self.write_limit(name, text) {
            Err(Errno::NOENT) if !self.path.exists() => Err(Errno::NODEV),
            other => other,
        }
    }

    fn write_limit(&self, name: &str, text: &str) -> io::Result<()> {
        if text == INHERIT && self.version == Version::V1 {
            let above = file::directory_in(&self.fd, c"..")?;
            return file::write(&self.fd, name, file::read(above, name)?.trim());
        }
        file::write(&self.fd, name, text)
    }

    /// The processes in it and in the groups below it, as far as this pid namespace shows them.
    pub fn processes(&self) -> Vec<i32> {
        let mut found = Vec::new();
        let _ = tree::each(&self.fd, |group, _| {
            found.extend(file::processes(group));
        });
        found
    }

    /// There is a process in it or below it.
    pub fn is_populated(&self) -> bool {
        match self.version {
            Version::V2 => file::read(&self.fd, "cgroup.events").map_or_else(
                |_| !self.processes().is_empty(),
                |events| file::field(&events, "populated") == Some(1),
            ),
            Version::V1 => !self.processes().is_empty(),
        }
    }

    /// Ends every process in it and below it, and waits until they have gone. Says so when that takes long.
    pub fn kill(&self) -> Result<()> {
        self.kill_within(&PATIENT)
    }

    /// The same, without waiting for long.
    pub fn kill_hastily(&self) -> Result<()> {
        self.kill_within(&HASTY)
    }

    fn kill_within(&self, limits: &[Duration]) -> Result<()> {
        for (index, limit) in limits.iter().enumerate() {
            let patience = &mut Patience::of(*limit);
            let gone = match file::write(&self.fd, "cgroup.kill", "1") {
                Ok(()) => self.wait_until_empty(patience),
                Err(_) => self.kill_each(patience),
            };
            match gone {
                true => return Ok(()),
                false if index + 1 < limits.len() => say(&format!("waiting for {} to end", self.remaining())),
                false => {}
            }
        }
        Err(Error::new(
            format_args!("empty {}", self.path.display()),
            format_args!("{} does not end", self.remaining()),
        )
        .hint("`cgctl gc` removes the group when it has"))
    }

    fn wait_until_empty(&self, patience: &Patience) -> bool {
        let events = match file::open(&self.fd, "cgroup.events") {
            Ok(events) => events,
            // Its owner has removed it meanwhile.
            Err(errno) => return matches!(errno, Errno::NOENT | Errno::NODEV),
        };
        // Reading tells the kernel up to which event this descriptor knows.
        while file::reread(&events).is_ok_and(|text| file::field(&text, "populated") == Some(1)) {
            let Some(left) = patience.left() else { return false };
            let timeout = Timespec { tv_sec: 0, tv_nsec: left.min(EVENT).subsec_nanos().into() };
            let _ = poll(&mut [PollFd::new(&events, PollFlags::PRI)], Some(&timeout));
        }
        true
    }

    /// Rounds of SIGKILL; a pause only when no new process has been born since the last round. The freezer, where
    /// this is one, keeps them from being born during a round, and a frozen process would not end.
    fn kill_each(&self, patience: &mut Patience) -> bool {
        let mut seen = HashSet::new();
        loop {
            let processes = self.processes();
            if processes.is_empty() {
                return true;
            }
            self.freeze("FROZEN");
            let mut is_news = false;
            // 0 stands for a process of another pid namespace, and to kill(2) for this very process group.
            for pid in processes.into_iter().filter(|pid| *pid > 0) {
                is_news |= seen.insert(pid);
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            self.freeze("THAWED");
            let goes_on = if is_news { patience.left().is_some() } else { patience.pause() };
            if !goes_on {
                return false;
            }
        }
    }

    fn freeze(&self, state: &str) {
        if file::write(&self.fd, "freezer.state", state).is_ok() && state == "THAWED" {
            let _ = tree::each(&self.fd, |group, _| {
                let _ = file::write(group, "freezer.state", state);
            });
        }
    }

    fn remaining(&self) -> String {
        let processes = self.processes();
        match processes.iter().find(|pid| **pid > 0) {
            None if processes.is_empty() => "a process".to_owned(),
            None => "a process of another pid namespace".to_owned(),
            Some(pid) => {
                let status = Status::read(&pid.to_string());
                let field = |name| {
                    status.as_ref().ok().and_then(|status| status.field(name)).unwrap_or("?").to_owned()
                };
                let more = if processes.len() > 1 { " and others" } else { "" };
                format!("process {pid} ({}, state {}){more}", field("Name"), field("State"))
            }
        }
    }

    /// Ends what is in it and removes it, with all groups below it.
    pub fn end(&self) -> Result<()> {
        self.end_within(&PATIENT)
    }

    /// The same, without waiting for long.
    pub fn end_hastily(&self) -> Result<()> {
        self.end_within(&HASTY)
    }

    fn end_within(&self, limits: &[Duration]) -> Result<()> {
        // Without a name, an orphan that was held from within may have found another who removes it.
        let is_removable = || !self.has_shared_base() || self.is_takeable();
        if is_removable() && std::fs::remove_dir(&self.path).is_ok() {
            return Ok(());
        }
        self.kill_within(limits)?;
        if !is_removable() {
            return Ok(());
        }
        let patience = &mut Patience::of(limits[0]);
        let removed = tree::clear(&self.fd, patience)
            .and_then(|()| tree::remove(rustix::fs::CWD, &self.path, patience));
        removed.cannot_with(|| format!("remove {}", self.path.display()))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
