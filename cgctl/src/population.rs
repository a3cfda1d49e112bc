//! The processes of a group that is there: in it and in the groups below it, in any hierarchy.

use crate::directory::Directory;
use crate::existing::Group;
use crate::file;
use crate::freezer;
use chain::{Error, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::io::Errno as Os;
use std::collections::BTreeSet;

impl Group {
    /// All of them, as far as this pid namespace shows them: one of another has the number 0.
    pub fn processes(&self) -> BTreeSet<i32> {
        self.parts.iter().flat_map(|part| part.directory.processes()).collect()
    }

    /// Those in the group itself, in any hierarchy.
    pub fn members(&self) -> BTreeSet<i32> {
        self.parts.iter().flat_map(|part| members(&part.directory)).collect()
    }

    /// There is a process in it or below it.
    pub fn is_populated(&self) -> bool {
        self.parts.iter().any(|part| part.directory.is_populated())
    }

    /// Refuses what would be done to every process that there is, or to this one as well.
    pub fn check_without_us(&self, what: &str) -> Result<()> {
        let what = || format!("{what} group {}", self.name);
        if self.parts.iter().any(|part| part.relative.as_os_str().is_empty()) {
            return Err(Error::new(what(), "it is the top of a hierarchy, and has every process in it"));
        }
        match i32::try_from(std::process::id()).is_ok_and(|pid| self.processes().contains(&pid)) {
            true => Err(Error::new(what(), "this cgctl is in it").hint("call it from another group")),
            false => Ok(()),
        }
    }

    /// Ends every process, and waits until they have gone. The unified tree, which does that at once, comes first.
    pub fn kill(&self) -> Result<()> {
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
                return Ok(());
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
}

/// A threaded group of cgroup v2 tells its threads only.
fn members(directory: &Directory) -> Vec<i32> {
    let numbers = |text: &str| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<i32>>();
    match file::read(directory, "cgroup.procs") {
        Err(Os::OPNOTSUPP) => {
            let threads = numbers(&file::read(directory, "cgroup.threads").unwrap_or_default());
            threads.into_iter().map(|thread| process_of(thread).unwrap_or(thread)).collect()
        }
        text => numbers(&text.unwrap_or_default()),
    }
}

fn process_of(thread: i32) -> Option<i32> {
    chain::process::Status::read(&thread.to_string()).ok()?.field("Tgid")?.parse().ok()
}

/// The name of a process's program; `None` when it has ended meanwhile.
pub fn comm(pid: i32) -> Option<String> {
    let name = file::read_path(format!("/proc/{pid}/comm")).ok()?;
    Some(name.strip_suffix('\n').unwrap_or(&name).to_owned())
}
