//! The processes of a group that is there: in it and in the groups below it, in any hierarchy.

use crate::existing::{Group, freezer};
use crate::group::Directory;
use crate::hierarchy::file;
use chain::{Error, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::fs::{Access, AtFlags, accessat};
use std::collections::BTreeSet;

impl Group {
    /// All of them, as far as this pid namespace shows them: one of another has the number 0.
    pub fn processes(&self) -> BTreeSet<i32> {
        self.parts.iter().flat_map(|part| part.directory.processes()).collect()
    }

    /// Those in the group itself, in any hierarchy.
    pub fn members(&self) -> BTreeSet<i32> {
        self.parts.iter().flat_map(|part| file::processes(&part.directory)).collect()
    }

    /// There is a process in it or below it.
    pub fn is_populated(&self) -> bool {
        self.parts.iter().any(|part| part.directory.is_populated())
    }

    /// Refuses what would be done to every process that there is, to this one, or to the init.
    pub fn check_without_us(&self, what: &str) -> Result<()> {
        let what = || format!("{what} group {}", self.name);
        if self.parts.iter().any(|part| part.relative.as_os_str().is_empty()) {
            return Err(Error::new(what(), "it is the top of a hierarchy, and has every process in it"));
        }
        let processes = self.processes();
        if i32::try_from(std::process::id()).is_ok_and(|pid| processes.contains(&pid)) {
            return Err(Error::new(what(), "this cgctl is in it").hint("call it from another group"));
        }
        match processes.contains(&1) {
            true => Err(Error::new(what(), "process 1 is in it, on which this machine or container stands")
                .hint("`cgctl move` takes it to another group")),
            false => Ok(()),
        }
    }

    /// Ends every process, and waits until they have gone. The unified tree, which does that at once, comes first.
    pub fn kill(&self) -> Result<()> {
        self.check_may_kill()?;
        for part in &self.parts {
            freezer::release(&part.directory);
        }
        for directory in self.by_speed() {
            if directory.is_populated() {
                directory.kill()?;
            }
        }
        Ok(())
    }

    /// Whoever may write `cgroup.kill` may end all; the others need the right to send each a signal.
    fn check_may_kill(&self) -> Result<()> {
        let is_given = accessat(self.tracking(), "cgroup.kill", Access::WRITE_OK, AtFlags::empty()).is_ok();
        let processes = if is_given { BTreeSet::new() } else { self.processes() };
        let is_refused = |pid: &i32| *pid > 0 && kill(Pid::from_raw(*pid), None) == Err(Errno::EPERM);
        match processes.into_iter().find(is_refused) {
            Some(pid) => Err(Error::os(format_args!("end process {pid}"), Errno::EPERM)
                .hint("its owner may, and the owner of the group's cgroup.kill")),
            None => Ok(()),
        }
    }

    fn by_speed(&self) -> impl Iterator<Item = &Directory> {
        let first = self.tracking();
        let others = self.parts.iter().map(|part| &part.directory).filter(|other| other.path != first.path);
        std::iter::once(first).chain(others)
    }

    /// Sends a signal to every process once: also to those that are born meanwhile.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let mut told = BTreeSet::from([0]);
        loop {
            let news: Vec<i32> = self.processes().difference(&told).copied().collect();
            if news.is_empty() {
                return self.check_all_are_seen();
            }
            for pid in news {
                told.insert(pid);
                match kill(Pid::from_raw(pid), signal) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(errno) => return Err(Error::os(format_args!("signal process {pid}"), errno)),
                }
            }
        }
    }

    fn check_all_are_seen(&self) -> Result<()> {
        match self.processes().contains(&0) {
            true => Err(Error::new(
                format_args!("signal all of group {}", self.name),
                "there are processes of another pid namespace in it",
            )
            .hint("without -s, `cgctl kill` ends them too, in cgroup v2")),
            false => Ok(()),
        }
    }
}

/// The name of a process's program; `None` when it has ended meanwhile.
pub fn comm(pid: i32) -> Option<String> {
    let name = file::read_path(format!("/proc/{pid}/comm")).ok()?;
    Some(name.strip_suffix('\n').unwrap_or(&name).to_owned())
}
