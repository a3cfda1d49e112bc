//! The tools: a directory as it is, or a directory made for one program, as a mount that nobody sees yet.

use super::mounts;
use chain::exec::{self, DEFAULT_PATH};
use chain::interpreter;
use chain::sys::mount::{NODEV, NOSUID, RDONLY, make_private, map_ids, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, fchmod, openat, symlinkat};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Under which names a static busybox is installed.
const NAMES: [&str; 3] = ["busybox", "busybox.static", "busybox-static"];

/// Tools that were found.
#[derive(Debug)]
pub enum Source {
    /// A directory, with all that is mounted in it.
    Directory(PathBuf),
    /// A program, and other names to call it by.
    Program {
        /// The file, open.
        file: File,
        /// Its name in the toolbox.
        name: OsString,
        /// Links to it.
        links: Vec<String>,
    },
}

impl Source {
    /// Looks for what was asked for, or else for a busybox that needs no library.
    pub fn find(asked: Option<&Path>) -> Result<Self> {
        let Some(path) = asked else { return Self::busybox() };
        let what = || format!("use {} as a toolbox", show(path));
        let kind = path.metadata().cannot_with(what)?;
        match () {
            () if kind.is_dir() => Ok(Source::Directory(path.to_owned())),
            () if kind.is_file() => Self::program(path).cannot_with(what),
            () => Err(Error::new(what(), "it is neither a directory nor a program")),
        }
    }

    fn busybox() -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let places = [path.as_os_str(), OsStr::new(DEFAULT_PATH)];
        let found = places.iter().flat_map(|path| NAMES.map(|name| exec::find(name.as_ref(), Some(path))));
        let is_static = |file: &PathBuf| interpreter::of(file).is_none();
        match found.flatten().find(is_static) {
            Some(file) => Self::program(&file).cannot_with(|| format!("use {} as a toolbox", show(&file))),
            None => Err(Error::new("find a toolbox", "there is no static busybox in PATH")
                .hint("apt-get install busybox-static, or name a directory or a program: --toolbox=SRC")),
        }
    }

    fn program(path: &Path) -> std::io::Result<Self> {
        let name = path.file_name().unwrap_or(OsStr::new("tool")).to_owned();
        let has_links = name.to_string_lossy().starts_with("busybox");
        let links = if has_links { applets(path)? } else { Vec::new() };
        Ok(Source::Program { file: File::open(path)?, name, links })
    }

    /// Where programs are in it, below the place where it will appear.
    pub fn directories(&self) -> Vec<&'static str> {
        match self {
            Source::Directory(path) if path.join("bin").is_dir() => vec!["", "bin"],
            _ => vec![""],
        }
    }

    /// Makes the mount: read-only, without set-user-ID and devices, in no peer group. For a caller who is outside of
    /// the user namespace `users` its ids are read as ids of that, as far as the file systems can: root's files
    /// are root's there.
    pub fn make(&self, users: Option<BorrowedFd<'_>>) -> Result<OwnedFd> {
        let tree = match self {
            Source::Directory(path) => mounts::copy_all(rustix::fs::CWD, path.as_path())
                .cannot_with(|| format!("clone the mounts of {}", show(path)))?,
            Source::Program { file, name, links } => {
                unpack(file, name, links).cannot("unpack the toolbox in memory").map_err(|e| {
                    e.hint_if(
                        Errno::EOVERFLOW,
                        "the user namespace has no root to own it: run nsenter-rs as root",
                    )
                })?
            }
        };
        make_private(tree.as_fd()).cannot("seclude the toolbox")?;
        if let Some(users) = users {
            shift(tree.as_fd(), users).cannot("map the ids of the toolbox")?;
        }
        set_attributes(tree.as_fd(), RDONLY | NOSUID | NODEV, true).cannot("make the toolbox read-only")?;
        Ok(tree)
    }
}

/// The names that a busybox knows itself by.
fn applets(busybox: &Path) -> std::io::Result<Vec<String>> {
    let mut list = String::new();
    let mut child =
        Command::new(busybox).arg("--list").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let read = child.stdout.take().map_or(Ok(0), |mut out| out.read_to_string(&mut list));
    // Where SIGCHLD is ignored there is nothing left to wait for.
    let _ = child.wait();
    read?;
    let is_name = |name: &&str| !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    Ok(list.lines().filter(is_name).map(str::to_owned).collect())
}

/// The program is copied, so that no file of the host can be reached by way of /proc/PID/exe.
fn unpack(program: &File, name: &OsStr, links: &[String]) -> std::io::Result<OwnedFd> {
    let tree = mounts::memory()?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut copy = File::from(openat(&tree, name, flags, Mode::empty())?);
    std::io::copy(&mut &*program, &mut copy)?;
    fchmod(&copy, Mode::from_raw_mode(0o755))?;
    for link in links.iter().filter(|link| OsStr::new(link) != name) {
        symlinkat(name, &tree, link.as_str())?;
    }
    Ok(tree)
}

/// Not every file system can be read under other ids (EINVAL); what cannot shows its files as nobody's.
fn shift(tree: BorrowedFd<'_>, users: BorrowedFd<'_>) -> Result<(), Errno> {
    match map_ids(tree, users, true).or_else(|_| map_ids(tree, users, false)) {
        Err(Errno::EINVAL | Errno::EPERM) => Ok(()),
        result => result,
    }
}
