//! Where network namespaces are found: in /run/netns, in the table of mounts, and by their processes.

use crate::names;
use chain::mountinfo;
use chain::ns::{self, Identity, Kind};
use chain::{Cannot, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// A network namespace, and how it was found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// What tells it from others.
    pub inode: u64,
    /// It is the one that netns runs in.
    pub is_own: bool,
    /// Its names in /run/netns.
    pub names: Vec<String>,
    /// Other files that it is bound on, as container engines have them.
    pub files: Vec<PathBuf>,
    /// The processes with a thread in it.
    pub processes: Vec<Process>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What it calls itself, at most 15 bytes.
    pub command: String,
}

/// All that can be seen from here: the one with the identity `own` first, those with names next.
pub fn all(own: Identity) -> Result<Vec<Found>> {
    let mut found: BTreeMap<u64, Found> = BTreeMap::new();
    found.entry(own.1).or_default().is_own = true;
    for (name, inode) in names::live()? {
        found.entry(inode).or_default().names.push(name);
    }
    for (inode, file) in mounts()? {
        found.entry(inode).or_default().files.push(file);
    }
    for (inode, process) in processes()? {
        found.entry(inode).or_default().processes.push(process);
    }
    let mut all: Vec<Found> = found.into_iter().map(|(inode, found)| Found { inode, ..found }).collect();
    all.sort_by(|a, b| rank(a).cmp(&rank(b)));
    Ok(all)
}

fn rank(found: &Found) -> impl Ord + '_ {
    let Found { is_own, names, files, processes, .. } = found;
    (!is_own, names.is_empty(), names.first(), files.first(), processes.first().map(|process| process.pid))
}

/// The network namespaces that files of this mount namespace hold, without those of /run/netns.
fn mounts() -> Result<Vec<(u64, PathBuf)>> {
    let table = fs::read("/proc/self/mountinfo").cannot("read the table of mounts")?;
    let mut found: Vec<(u64, PathBuf)> = table.split(|byte| *byte == b'\n').filter_map(mount).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// `net:[4026531840]` is what is mounted then.
fn mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mount = mountinfo::parse(line)?;
    let inode = std::str::from_utf8(mount.root).ok()?.strip_prefix("net:[")?.strip_suffix(']')?;
    let file = mountinfo::unescape(mount.point);
    (mount.kind == b"nsfs" && !file.starts_with(names::DIRECTORY)).then_some((inode.parse().ok()?, file))
}

/// The processes and their network namespaces, as far as we may look; one with threads in several is in each. This process is
/// only looking.
fn processes() -> Result<Vec<(u64, Process)>> {
    let mut pids = numbers("/proc").cannot("read /proc")?;
    pids.sort_unstable();
    pids.retain(|pid| *pid != std::process::id());
    Ok(pids.into_iter().flat_map(of_process).collect())
}

fn of_process(pid: u32) -> Vec<(u64, Process)> {
    let mut inodes: Vec<u64> = inode(&pid.to_string()).into_iter().collect();
    if has_threads(pid) {
        let threads = numbers(&format!("/proc/{pid}/task")).unwrap_or_default();
        inodes.extend(threads.into_iter().filter_map(|thread| inode(&format!("{pid}/task/{thread}"))));
    }
    inodes.sort_unstable();
    inodes.dedup();
    let process = |inode| (inode, Process { pid, command: command(pid) });
    inodes.into_iter().map(process).collect()
}

fn inode(task: &str) -> Option<u64> {
    ns::identity(task, Kind::Net.row().file).ok().map(|(_, inode)| inode)
}

/// Whether a process has more than one: a directory has a link for each of its own, and two more.
pub fn has_threads(pid: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(format!("/proc/{pid}/task")).is_ok_and(|tasks| tasks.nlink() > 3)
}

/// The names in a directory of /proc that are numbers.
pub fn numbers(directory: &str) -> std::io::Result<Vec<u32>> {
    let names = fs::read_dir(directory)?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| name.to_str()?.parse().ok()).collect())
}

/// What a process calls itself; empty when it has gone.
pub fn command(pid: u32) -> String {
    let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_found_among_the_mounts() {
        let line = b"40 1 0:4 net:[4026532] /run/docker/netns/a\\040b rw shared:1 - nsfs nsfs rw";
        assert_eq!(mount(line), Some((4_026_532, PathBuf::from("/run/docker/netns/a b"))));
        for other in [
            "40 1 0:4 mnt:[4026532] /run/x rw - nsfs nsfs rw",
            "40 1 0:4 net:[4026532] /run/netns/x rw - nsfs nsfs rw",
            "40 1 0:4 /net:[4026532] /run/x rw - ext4 x rw",
            "",
        ] {
            assert_eq!(mount(other.as_bytes()), None, "{other}");
        }
    }
}
