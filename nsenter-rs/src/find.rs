//! Which process is meant: by number, by its control group, or by the name of a container.

use crate::cli::{Options, Process};
use crate::mountinfo::{self, Hierarchy};
use crate::target::Target;
use chain::text::{is_name, show};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::process::Pid;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The target, opened; `None` when no option names one.
pub fn target(options: &Options) -> Result<Option<Target>> {
    match options {
        Options { target: Some(process), .. } => Target::open(*process).map(Some),
        Options { group: Some(path), .. } => in_group(path).map(Some),
        Options { container: Some(name), .. } => in_box(name).map(Some),
        _ => Ok(None),
    }
}

/// `NAME/pid` holds PID or PID:INODE.
fn in_box(name: &OsStr) -> Result<Target> {
    let what = || format!("find the box {}", show(name));
    if !is_name(name) {
        return Err(Error::new(what(), "that is no name")
            .hint("names begin with a letter or a digit; dots, dashes and underlines may follow"));
    }
    let file = boxes().ok_or_else(|| {
        Error::new(what(), "neither BOX_RUN nor XDG_RUNTIME_DIR nor HOME is set")
            .hint("a login sets the last two")
    })?;
    let file = file.join(name).join("pid");
    let text = match fs::read_to_string(&file) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(Error::new(what(), "there is none").hint(format_args!("{} is missing", show(&file))));
        }
        text => text.cannot_with(what)?,
    };
    let process: Process = text
        .trim_end()
        .parse()
        .map_err(|why| Error::new(what(), why).hint(format_args!("{} is damaged", show(&file))))?;
    Target::open(process)
}

/// Where `box` keeps what goes with a reboot, found in the same way as it does.
fn boxes() -> Option<PathBuf> {
    if let Some(dir) = variable("BOX_RUN") {
        return Some(dir);
    }
    if geteuid().is_root() {
        return Some("/run/box".into());
    }
    let of_login = || Some(PathBuf::from(format!("/run/user/{}", geteuid()))).filter(|dir| dir.is_dir());
    let volatile = variable("XDG_RUNTIME_DIR").or_else(of_login).map(|dir| dir.join("box"));
    volatile.or_else(|| store().map(|dir| dir.join("run")))
}

/// Where `box` keeps what lasts for a user.
fn store() -> Option<PathBuf> {
    let data = || variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
    variable("BOX_STORE").or_else(|| Some(data()?.join("box")))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from)
}

/// The oldest process of the group or of one below it: of a container that is its first one. Its number is the
/// group's only as long as it is found there with the process held.
fn in_group(path: &Path) -> Result<Target> {
    let group = group_directory(path)?;
    let oldest = processes(&group)?
        .into_iter()
        .filter_map(|pid| Some((started(pid)?, pid)))
        .min_by_key(|(started, _)| *started);
    let Some((_, pid)) = oldest else {
        return Err(Error::new(format_args!("find a process in the group {}", show(path)), "it has none")
            .hint("processes of an outer pid namespace do not count: they have no number here"));
    };
    let target = Target::open(Process { pid, inode: None })?;
    if processes(&group)?.contains(&pid) {
        return target.check_alive().map(|()| target);
    }
    Err(Error::new(format_args!("enter {target}"), format_args!("it has left the group {}", show(path))))
}

/// A directory of a cgroup file system, or the name of a group as /proc/PID/cgroup has it.
fn group_directory(path: &Path) -> Result<PathBuf> {
    let is_group = |dir: &PathBuf| dir.join("cgroup.procs").exists();
    let name = Path::new("/").join(path);
    let below = |Hierarchy { root, point, .. }| Some(point.join(name.strip_prefix(root).ok()?));
    let named = mountinfo::hierarchies()?.into_iter().filter_map(below);
    std::iter::once(path.to_owned()).chain(named).find(is_group).ok_or_else(|| {
        Error::new(format_args!("find the group {}", show(path)), "there is none").hint(
            "name its directory below /sys/fs/cgroup, or what /proc/PID/cgroup says after the last colon",
        )
    })
}

/// The processes of a group and of all below it. A group that goes away meanwhile has none.
fn processes(group: &Path) -> Result<Vec<Pid>> {
    let what = || format!("read the processes of the group {}", show(group));
    let text = match fs::read_to_string(group.join("cgroup.procs")) {
        // A threaded group: its processes are in the group that it belongs to.
        Err(e) if matches!(errno(&e), Errno::EOPNOTSUPP | Errno::ENOENT | Errno::ENODEV) => String::new(),
        text => text.cannot_with(what)?,
    };
    let mut pids: Vec<Pid> =
        text.lines().filter_map(|line| line.parse().ok().and_then(Pid::from_raw)).collect();
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            pids.extend(processes(&entry.path())?);
        }
    }
    Ok(pids)
}

fn errno(e: &std::io::Error) -> Errno {
    Errno::from_raw(e.raw_os_error().unwrap_or_default())
}

/// When a process was started, in clock ticks: field 22 of proc_pid_stat(5). A zombie does not count.
fn started(pid: Pid) -> Option<u64> {
    let stat = fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let stat = String::from_utf8_lossy(&stat).into_owned();
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    fields.nth(18)?.parse().ok().filter(|_| state != "Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_boxes_lead_nowhere_else() {
        for name in ["web", "a", "9.x_y-z"] {
            assert!(is_name(OsStr::new(name)), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "-x", ".x", "a b", "a\n", "é"] {
            assert!(!is_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_start_of_a_process_is_known() {
        let own = Pid::from_raw(std::process::id() as i32).unwrap();
        assert!(started(own).is_some());
        let first = std::os::unix::process::parent_id() as i32;
        assert!(started(Pid::from_raw(first).unwrap()) <= started(own));
    }
}
