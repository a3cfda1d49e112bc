//! A process goes into a group, and why it may not.

use crate::group::Directory;
use crate::hierarchy::place::LEAF;
use crate::hierarchy::{Version, file};
use crate::plan::advice;
use chain::text::show;
use chain::{Error, Result};
use rustix::io::Errno;

/// Refuses what the kernel allows and nobody means: with controllers that can be threaded, such as cpu and pids, a
/// process in a group that limits others turns it into a threaded one, and those below take no process any more
/// (cgroup_migrate_vet_dst in kernel/cgroup/cgroup.c).
pub fn check(directory: &Directory) -> Result<()> {
    if directory.version == Version::V1 {
        return Ok(());
    }
    let read = |name| file::read(directory, name).unwrap_or_default();
    match !read("cgroup.subtree_control").trim().is_empty() && read("cgroup.type").trim() == "domain" {
        true => Err(refused(directory, Errno::BUSY)),
        false => Ok(()),
    }
}

/// Moves this process, which has one thread, into these directories of a group.
pub fn all<'a>(directories: impl Iterator<Item = &'a Directory>) -> Result<()> {
    for directory in directories {
        one(directory).map_err(|errno| refused(directory, errno))?;
    }
    Ok(())
}

/// "0" written to `tasks` of v1 moves the writer without the lock that a pid, and `cgroup.procs`, wait a grace
/// period for (cgroup_procs_write_start in kernel/cgroup/cgroup.c).
fn one(directory: &Directory) -> rustix::io::Result<()> {
    let file = if directory.version == Version::V1 { "tasks" } else { "cgroup.procs" };
    file::write(directory, file, "0")
}

/// Why the kernel takes no process into the group: cgroup-v2.rst, "No Internal Process Constraint", "Threads" and
/// "Delegation Containment"; cpuset.rst of v1.
pub fn refused(directory: &Directory, errno: Errno) -> Error {
    refused_as(&format!("enter {}", show(&directory.path)), directory, errno)
}

/// The same, told as `what`, which follows "cannot".
pub fn refused_as(what: &str, directory: &Directory, errno: Errno) -> Error {
    let is_v2 = directory.version == Version::V2;
    match errno {
        Errno::BUSY if is_v2 => {
            let enabled = file::read(directory, "cgroup.subtree_control").unwrap_or_default();
            let enabled = if enabled.trim().is_empty() { "controllers" } else { enabled.trim() };
            let why = format!("it hands {enabled} down to groups below it, so it takes no process itself");
            let below = if directory.path.join(LEAF).exists() { LEAF } else { "BELOW" };
            Error::new(what, why)
                .hint(format_args!("enter a group inside it: cgctl exec NAME/{below} -- COMMAND"))
        }
        Errno::OPNOTSUPP if is_v2 => {
            let kind = file::read(directory, "cgroup.type").unwrap_or_default();
            Error::new(what, format_args!("its cgroup.type is {}, which takes no process", show(kind.trim())))
                .hint("the group above it is threaded: make the group elsewhere, or write threaded to its cgroup.type")
        }
        Errno::NOSPC if !is_v2 => Error::new(what, "its cpuset has no processor or no memory node")
            .hint("cgctl set NAME cpus=0 mems=0"),
        Errno::NOENT if directory.is_there() => {
            Error::new(what, "it, or the group of this process, is outside of this cgroup namespace")
                .hint("cgroup2 mounted with nsdelegate lets no process pass that border")
        }
        Errno::NOENT | Errno::NODEV => Error::new(what, "it has been removed"),
        Errno::ACCESS | Errno::PERM => file::cannot(what, errno).hint(advice::boundary(is_v2)),
        errno => file::cannot(what, errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody may be quicker to make the group anew than it is asked why it took no process.
    #[test]
    fn a_group_that_was_removed_is_not_taken_for_the_one_in_its_place() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("group");
        std::fs::create_dir(&path).unwrap();
        let directory = Directory::open(Version::V1, path.clone()).unwrap();
        assert!(refused(&directory, Errno::NOENT).to_string().contains("namespace"));
        std::fs::remove_dir(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(refused(&directory, Errno::NOENT).to_string().ends_with(": it has been removed"));
    }
}
