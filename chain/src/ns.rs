//! The table of namespaces: the only one in the workspace.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;

/// A kind of namespace, namespaces(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// user_namespaces(7)
    User,
    /// mount_namespaces(7)
    Mount,
    /// uts_namespaces(7)
    Uts,
    /// ipc_namespaces(7)
    Ipc,
    /// network_namespaces(7)
    Net,
    /// pid_namespaces(7)
    Pid,
    /// cgroup_namespaces(7)
    Cgroup,
    /// time_namespaces(7)
    Time,
}

/// What is to be known of a kind of namespace.
#[derive(Debug)]
pub struct Namespace {
    /// The kind that this row describes.
    pub kind: Kind,
    /// The option letter, the same in every tool and in util-linux.
    pub letter: char,
    /// The long option, and the word in messages.
    pub name: &'static str,
    /// The `CLONE_NEW*` bit of clone3(2), unshare(2) and setns(2).
    pub flag: u64,
    /// The file below `/proc/PID/ns`.
    pub file: &'static str,
    /// The file that tells what the next child will be in, for the kinds that only children enter.
    pub for_children: &'static str,
}

/// Every kind, user namespace first: it gives the rights to make or to join the others.
pub const NAMESPACES: [Namespace; 8] = [
    row(Kind::User, 'U', "user", 0x1000_0000, "user", "user"),
    row(Kind::Mount, 'm', "mount", 0x0002_0000, "mnt", "mnt"),
    row(Kind::Uts, 'u', "uts", 0x0400_0000, "uts", "uts"),
    row(Kind::Ipc, 'i', "ipc", 0x0800_0000, "ipc", "ipc"),
    row(Kind::Net, 'n', "net", 0x4000_0000, "net", "net"),
    row(Kind::Pid, 'p', "pid", 0x2000_0000, "pid", "pid_for_children"),
    row(Kind::Cgroup, 'C', "cgroup", 0x0200_0000, "cgroup", "cgroup"),
    row(Kind::Time, 'T', "time", 0x0000_0080, "time", "time_for_children"),
];

const fn row(
    kind: Kind,
    letter: char,
    name: &'static str,
    flag: u64,
    file: &'static str,
    for_children: &'static str,
) -> Namespace {
    Namespace { kind, letter, name, flag, file, for_children }
}

impl Kind {
    /// The row of this kind.
    pub fn row(self) -> &'static Namespace {
        &NAMESPACES[self as usize]
    }

    /// Whether the running kernel has it.
    pub fn is_known(self) -> bool {
        std::fs::exists(format!("/proc/self/ns/{}", self.row().file)).unwrap_or(false)
    }
}

/// The `CLONE_NEW*` bits of several kinds together.
pub fn flags(kinds: impl IntoIterator<Item = Kind>) -> u64 {
    kinds.into_iter().fold(0, |bits, kind| bits | kind.row().flag)
}

/// Several kinds as a sentence has them: "pid, uts and mount".
pub fn list(kinds: &[Kind]) -> String {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.row().name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(""),
    }
}

/// What tells one namespace from another: device and inode of its nsfs file, ioctl_ns(2).
pub type Identity = (u64, u64);

/// The identity of a namespace of `process` (a pid or `self`), by its file name below `/proc/PID/ns`.
pub fn identity(process: &str, file: &str) -> io::Result<Identity> {
    let meta = std::fs::metadata(format!("/proc/{process}/ns/{file}"))?;
    Ok((meta.dev(), meta.ino()))
}

/// Whether this process is in the user namespace that the system has started with, as far as its map tells.
pub fn is_in_first_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// An open namespace of `process` (a pid or `self`), to compare or to join.
pub fn open(process: &str, kind: Kind) -> io::Result<OwnedFd> {
    File::open(format!("/proc/{process}/ns/{}", kind.row().file)).map(OwnedFd::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_where_its_kind_points() {
        for row in &NAMESPACES {
            assert_eq!(row.kind.row().name, row.name);
        }
    }

    #[test]
    fn kinds_read_as_a_sentence() {
        assert_eq!(list(&[]), "");
        assert_eq!(list(&[Kind::Pid]), "pid");
        assert_eq!(list(&[Kind::Pid, Kind::Uts, Kind::Mount]), "pid, uts and mount");
    }

    #[test]
    fn the_flags_are_those_of_the_kernel() {
        let all = flags(NAMESPACES.iter().map(|row| row.kind));
        let libc = libc::CLONE_NEWUSER
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWNET
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWCGROUP
            | libc::CLONE_NEWTIME;
        assert_eq!(all, libc as u64);
    }
}
