//! Control groups as the kernel shows them, seen without the help of the tool under test.

use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the hierarchies are mounted: (mount point, `cgroup2` or the controllers of a version 1 hierarchy).
pub fn hierarchies() -> Vec<(PathBuf, String)> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    table.lines().filter_map(hierarchy).collect()
}

fn hierarchy(line: &str) -> Option<(PathBuf, String)> {
    let (mount, source) = line.split_once(" - ")?;
    let point = PathBuf::from(mount.split(' ').nth(4)?);
    let mut words = source.split(' ');
    match words.next()? {
        "cgroup2" => Some((point, "cgroup2".to_owned())),
        "cgroup" => Some((point, words.nth(1)?.to_owned())),
        _ => None,
    }
}

/// The directory of every group that cgctl has made: those in a directory of that name, and those without a name,
/// in every hierarchy.
pub fn ours() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (top, _) in hierarchies() {
        walk(&top, &mut found);
    }
    found
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    // Groups come and go while we look.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = entry.path();
            walk(&path, found);
            let is_transient = entry.file_name().as_bytes().starts_with(b"cgctl.run-");
            if is_transient || dir.file_name() == Some(OsStr::new("cgctl")) {
                found.push(path);
            }
        }
    }
}

/// Whether the group is there, and nobody holds the lock that says "in use". To try the lock would be to hold
/// it for a moment, which its maker would take for an answer; so this reads proc_locks(5).
pub fn is_orphan(group: &Path) -> bool {
    let Ok(meta) = fs::metadata(group) else { return false };
    let (major, minor) = (rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    let id = format!(" {major:02x}:{minor:02x}:{} ", meta.ino());
    !fs::read_to_string("/proc/locks")
        .unwrap()
        .lines()
        .any(|line| line.contains("FLOCK") && line.contains(&id))
}

/// Whether `cgctl new` made it to stay: nobody owns such a group, and whoever made it removes it.
pub fn stays(group: &Path) -> bool {
    let mut value = [0; 8];
    let mark = rustix::fs::getxattr(group, "user.cgctl", &mut value[..]);
    mark.is_ok_and(|length| &value[..length] == b"stays")
}

/// The directory of a process's group in the hierarchy that has `controller`.
pub fn of(pid: Pid, controller: &str) -> Option<PathBuf> {
    let table = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
    let (top, kind) = hierarchy_of(controller)?;
    let entry = |line: &str| {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        let this = if kind == "cgroup2" { controllers.is_empty() } else { has(controllers, controller) };
        this.then_some(parts.next()?.to_owned())
    };
    let path = table.lines().find_map(entry)?;
    Some(top.join(path.trim_start_matches('/')))
}

/// Where `controller` is: its own version 1 hierarchy, or the cgroup2 one.
fn hierarchy_of(controller: &str) -> Option<(PathBuf, String)> {
    let all = hierarchies();
    let old = all.iter().find(|(_, kind)| kind != "cgroup2" && has(kind, controller));
    old.or_else(|| all.iter().find(|(_, kind)| kind == "cgroup2")).cloned()
}

fn has(list: &str, word: &str) -> bool {
    list.split(',').any(|item| item == word)
}
