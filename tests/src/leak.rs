//! What a test may not leave behind: processes, mounts, groups and links.

use crate::cgroup;
use crate::wait::{becomes, patience};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A variable that every process of one sandbox has in its environment, however deep it is nested.
#[derive(Debug, Clone)]
pub struct Marker(String);

impl Marker {
    /// The variable.
    pub const NAME: &'static str = "CHAIN_TEST";

    /// `value` is unique among running tests.
    pub fn new(value: &str) -> Self {
        Marker(value.to_owned())
    }

    /// What the variable is set to.
    pub fn value(&self) -> &str {
        &self.0
    }

    /// The processes that were started with it and still run. One that cleared its environment, or runs as a
    /// user whose environment we may not read, is not found.
    pub fn processes(&self) -> Vec<Pid> {
        let wanted = format!("{}={}", Self::NAME, self.0).into_bytes();
        let has = |pid: &Pid| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ.split(|byte| *byte == 0).any(|variable| variable == wanted)
        };
        pids().into_iter().filter(has).filter(|pid| *pid != Pid::this()).collect()
    }
}

/// Every process that /proc shows.
pub fn pids() -> Vec<Pid> {
    let names =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.parse().ok()).map(Pid::from_raw).collect()
}

/// One line for each process: pid, state and command.
pub fn describe(processes: &[Pid]) -> String {
    let line = |pid: &Pid| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        format!("  {pid} {:?} {command}", state(*pid))
    };
    processes.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The state letter of a process, proc_pid_stat(5); `None` when there is no such process.
pub fn state(pid: Pid) -> Option<char> {
    stat(pid, 0)?.chars().next()
}

/// A field of /proc/PID/stat, counted from the state, which is 0.
pub fn stat(pid: Pid, field: usize) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().nth(field)?.to_owned())
}

/// What was there before a test.
#[derive(Debug)]
pub struct Before {
    links: BTreeSet<String>,
    groups: BTreeSet<PathBuf>,
}

impl Before {
    /// Looks around.
    pub fn note() -> Self {
        Before { links: links(), groups: cgroup::ours().into_iter().collect() }
    }

    /// What the test with this marker and directories has left: one line each, empty when all is well. Only what is
    /// there all the time counts, so that what is still going away, or belongs to another test, gets its moment.
    pub fn left_by(&self, marker: &Marker, places: &[&Path]) -> Vec<String> {
        let mut left = self.look(marker, places);
        becomes(patience(20), || {
            let now = self.look(marker, places);
            left.retain(|thing| now.contains(thing));
            left.is_empty()
        });
        left
    }

    fn look(&self, marker: &Marker, places: &[&Path]) -> Vec<String> {
        let processes = marker.processes();
        let mut left: Vec<String> =
            processes.iter().map(|pid| format!("process {pid} {}", name(*pid).unwrap_or_default())).collect();
        let mounts = places.iter().flat_map(|place| mounts_below(place));
        left.extend(mounts.map(|mount| format!("mount {}", mount.display())));
        let groups = cgroup::ours().into_iter().filter(|group| !self.groups.contains(group));
        left.extend(
            // One that stays belongs to the test that has made it, by its name.
            groups
                .filter(|group| cgroup::is_orphan(group))
                .filter(|group| !cgroup::stays(group) || group.to_string_lossy().contains(marker.value()))
                .map(|group| format!("group {}", group.display())),
        );
        left.extend(links().difference(&self.links).map(|link| format!("network link {link}")));
        left
    }
}

/// The mount points of our own mount namespace at or below `dir`.
pub fn mounts_below(dir: &Path) -> Vec<PathBuf> {
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    let points = table.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
    points.filter(|point| point.starts_with(dir)).collect()
}

fn links() -> BTreeSet<String> {
    let table = std::fs::read_to_string("/proc/net/dev").unwrap();
    table.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// Kills what is left of a test that has failed anyway.
pub fn kill_all(marker: &Marker) {
    becomes(patience(10), || {
        let processes = marker.processes();
        for pid in &processes {
            let _ = kill(*pid, Signal::SIGKILL);
        }
        processes.is_empty()
    });
}

/// This process.
pub fn me() -> Pid {
    Pid::this()
}

/// The name of a process's program, at most 15 bytes of it.
pub fn name(pid: Pid) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).ok().map(|name| name.trim_end().to_owned())
}

/// The children of a process.
pub fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.to_string();
    pids().into_iter().filter(|pid| stat(*pid, 1).as_deref() == Some(&parent)).collect()
}
