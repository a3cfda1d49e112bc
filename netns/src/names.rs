//! The directory of names, shared with `ip netns`: ip-netns(8).
//!
//! A name is a file that a network namespace is bound on. A file without one is what is left when its maker was
//! killed halfway, or when the bind was made in another mount namespace: it names nothing and may be taken over.

use crate::lock::{self, Lock};
use crate::name::Name;
use crate::{own_run, refused};
use chain::sys::mount::{PRIVATE, SHARED, set_propagation};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, StatxAttributes, StatxFlags, fstat, fstatfs, open, statx,
};
use rustix::mount::{
    MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount_change, move_mount, open_tree,
};
use std::fmt::Display;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Where the names are.
pub const DIRECTORY: &str = "/run/netns";

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS: u64 = 0x6e73_6673;

/// What stands where a name would.
#[derive(Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// A namespace, told from others by the inode of its file.
    Live(u64),
    /// A file that no namespace is bound on, or a link that leads nowhere.
    Stale,
    /// Something that is none of ours.
    InTheWay,
}

/// The file of a name.
pub fn path(name: &Name) -> PathBuf {
    file(name.as_str())
}

/// The same for a name of [`live`], which another tool may have given and which may be an odd one.
pub fn file(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// Makes the directory ready for a new name, and locks it.
pub fn prepare() -> Result<Lock> {
    own_run::prepare(DIRECTORY)?;
    let lock = lock::names()?;
    share()?;
    Ok(lock)
}

/// Makes the directory a shared mount, so that names made in one mount namespace are seen, and removed, in all.
fn share() -> Result<()> {
    let shared = match is_mount_point() {
        Ok(false) => {
            let _lock = lock::with_ip(DIRECTORY)?;
            is_mount_point().and_then(|is_made| if is_made { share_mount() } else { make_mount() })
        }
        other => other.and_then(|_| share_mount()),
    };
    shared.cannot_with(|| format!("share the mounts of {DIRECTORY}")).map_err(refused::for_names)
}

fn share_mount() -> Result<(), Errno> {
    errno(mount_change(DIRECTORY, MountPropagationFlags::SHARED))
}

/// As a bind of itself it would be of one group with the mount that it is on, and every name be mounted twice, on
/// both. So it gets a group of its own while it is not attached yet.
fn make_mount() -> Result<(), Errno> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = errno(open_tree(CWD, DIRECTORY, flags))?;
    set_propagation(tree.as_fd(), PRIVATE)?;
    set_propagation(tree.as_fd(), SHARED)?;
    errno(move_mount(&tree, "", CWD, DIRECTORY, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH))
}

fn is_mount_point() -> Result<bool, Errno> {
    let stat = errno(statx(CWD, DIRECTORY, AtFlags::empty(), StatxFlags::BASIC_STATS))?;
    Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Looks at what stands in `file`.
pub fn look(file: &Path) -> Result<State> {
    let what = || format!("look at {}", show(file));
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let fd = match open(file, flags | OFlags::NOFOLLOW, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => return Ok(State::Absent),
        other => other.cannot_with(what)?,
    };
    let stat = fstat(&fd).cannot_with(what)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => match open(file, flags, Mode::empty()) {
            Err(rustix::io::Errno::NOENT) => Ok(State::Stale),
            Err(_) => Ok(State::InTheWay),
            Ok(fd) => Ok(inode(&fd)?.map_or(State::InTheWay, State::Live)),
        },
        FileType::RegularFile => Ok(match inode(&fd)? {
            Some(inode) => State::Live(inode),
            None if stat.st_size == 0 => State::Stale,
            None => State::InTheWay,
        }),
        _ => Ok(State::InTheWay),
    }
}

/// The names of live namespaces, sorted, each with the inode of its namespace. What is no namespace is left out.
pub fn live() -> Result<Vec<(String, u64)>> {
    let what = || format!("read {DIRECTORY}");
    let entries = match std::fs::read_dir(DIRECTORY) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.cannot_with(what)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.cannot_with(what)?;
        if let State::Live(inode) = look(&entry.path())? {
            names.push((entry.file_name().to_string_lossy().into_owned(), inode));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens what stands under a name of [`live`].
pub fn open_file(name: &str) -> Result<OwnedFd> {
    let file = file(name);
    open(&file, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
        .cannot_with(|| format!("open {}", show(&file)))
}

/// A descriptor for setns(2).
pub fn open_namespace(name: &Name) -> Result<OwnedFd> {
    let file = path(name);
    match look(&file)? {
        State::Live(_) => open(&file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .cannot_with(|| format!("open {}", show(&file))),
        State::Absent => Err(missing(name)),
        State::Stale | State::InTheWay => Err(Error::new(
            format_args!("enter {name}"),
            format_args!("{} is no network namespace", show(&file)),
        )
        .hint("it may have been made in another mount namespace, which this one does not see")),
    }
}

/// A name that nobody has made.
pub fn missing(name: impl Display) -> Error {
    Error::new(format_args!("find {name}"), "no such network namespace").hint("`netns ls` lists the names")
}

fn inode(fd: &OwnedFd) -> Result<Option<u64>> {
    let magic = fstatfs(fd).cannot("look at a file system")?.f_type as u64;
    if magic != NSFS {
        return Ok(None);
    }
    Ok(Some(fstat(fd).cannot("look at a namespace")?.st_ino))
}

fn errno<T>(result: rustix::io::Result<T>) -> Result<T, Errno> {
    result.map_err(|errno| Errno::from_raw(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_stands_there_is_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        fs::write(file("empty"), "").unwrap();
        fs::write(file("full"), "x").unwrap();
        fs::create_dir(file("dir")).unwrap();
        symlink("/proc/self/ns/net", file("link")).unwrap();
        symlink("/no/such/file", file("dangling")).unwrap();
        symlink("/etc", file("stray")).unwrap();
        let own = fs::metadata("/proc/self/ns/net").unwrap();
        for (name, state) in [
            ("none", State::Absent),
            ("empty", State::Stale),
            ("full", State::InTheWay),
            ("dir", State::InTheWay),
            ("link", State::Live(std::os::unix::fs::MetadataExt::ino(&own))),
            ("dangling", State::Stale),
            ("stray", State::InTheWay),
        ] {
            assert_eq!(look(&file(name)).unwrap(), state, "{name}");
        }
    }
}
