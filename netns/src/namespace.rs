//! A network namespace that is not this process's own, and visits to it.

use crate::name::Name;
use crate::names::{self, State};
use crate::refused;
use chain::ns::{self, Kind};
use chain::sys::ns::flag_of;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, open};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::str::FromStr;

/// Which network namespace is meant, as it is said on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// `.`, the one that netns runs in.
    Own,
    /// A name, or the number of a process where no such name exists.
    Named(Name),
    /// A file that a namespace is bound on, or one like `/proc/PID/ns/net`.
    File(PathBuf),
}

impl FromStr for Which {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "." => Ok(Which::Own),
            _ if text.contains('/') => Ok(Which::File(text.into())),
            _ => text.parse().map(Which::Named),
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Which::Own => f.write_str("."),
            Which::Named(name) => name.fmt(f),
            Which::File(file) => f.write_str(&show(file)),
        }
    }
}

impl Which {
    /// Whether it is a name that nobody has given, and no process.
    pub fn is_missing(&self) -> Result<bool> {
        match self {
            Which::Named(name) => {
                Ok(names::look(&names::path(name))? == State::Absent && of_process(name).is_none())
            }
            Which::Own | Which::File(_) => Ok(false),
        }
    }

    /// Opens it.
    pub fn open(&self) -> Result<Namespace> {
        let what = || format!("open {self}");
        match self {
            Which::Own => return Namespace::own(),
            Which::Named(name) => names::open_namespace(name).or_else(|e| of_process(name).ok_or(e)),
            Which::File(file) => {
                open(file, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())
                    .cannot_with(what)
            }
        }
        .map(|fd| Namespace { what: self.to_string(), fd, is_own: false })
        .and_then(|namespace| match self {
            Which::File(_) => namespace.check().map(|()| namespace),
            _ => Ok(namespace),
        })
    }
}

/// As with `ip link set DEV netns`, a number is that of a process.
fn of_process(name: &Name) -> Option<OwnedFd> {
    let pid: u32 = name.as_str().parse().ok()?;
    ns::open(&pid.to_string(), Kind::Net).ok()
}

/// An open network namespace.
#[derive(Debug)]
pub struct Namespace {
    what: String,
    fd: OwnedFd,
    is_own: bool,
}

impl Namespace {
    /// The one that this process is in.
    pub fn own() -> Result<Self> {
        let fd = ns::open("self", Kind::Net).cannot("open the network namespace of this process")?;
        Ok(Namespace { what: ".".to_owned(), fd, is_own: true })
    }

    /// Another one, by a descriptor; `what` is how it is called in messages.
    pub fn of(what: String, fd: OwnedFd) -> Self {
        Namespace { what, fd, is_own: false }
    }

    /// How it is called in messages.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whether it is the one that this process is in.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// What tells it from others: the inode of its file; none where that cannot be looked at.
    pub fn inode(&self) -> Option<u64> {
        rustix::fs::fstat(&self.fd).ok().map(|stat| stat.st_ino)
    }

    /// Makes sure that it is a network namespace: a file may be anything.
    fn check(&self) -> Result<()> {
        match flag_of(self.fd.as_fd()) {
            Ok(flag) if flag == Kind::Net.row().flag => Ok(()),
            _ => Err(Error::new(format_args!("use {}", self.what), "it is no network namespace")),
        }
    }

    /// Runs `work` in it, and comes back.
    pub fn visit<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.is_own {
            return work();
        }
        let home = Namespace::own()?;
        self.enter()?;
        let result = work();
        home.enter().map_err(|e| {
            e.hint("a network namespace can be left only for one of the same user namespace: `unshare-rs -Urn` gives both")
        })?;
        result
    }

    /// Moves this process into it for good.
    pub fn enter(&self) -> Result<()> {
        move_into_thread_name_spaces(self.fd.as_fd(), ThreadNameSpaceType::NETWORK)
            .map_err(|errno| refused::enter(&self.what, Errno::from_raw(errno.raw_os_error())))
    }
}

impl From<Namespace> for OwnedFd {
    fn from(namespace: Namespace) -> Self {
        namespace.fd
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
