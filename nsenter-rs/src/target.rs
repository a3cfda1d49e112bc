//! The process to enter, held by one pidfd from first to last: its number may be another's in a moment.

use crate::refused;
use chain::ns::{Identity, Kind};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, OFlags, open, openat, statat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};

/// A process that was there when it was opened.
#[derive(Debug)]
pub struct Target {
    pid: Pid,
    pidfd: OwnedFd,
    dir: OwnedFd,
}

impl Target {
    /// Opens it, by a pidfd first: its directory in /proc is of the same process if that lives on afterwards, and
    /// stays so, since what is looked up in the directory of a process that has ended is not there (ESRCH).
    pub fn open(pid: Pid) -> Result<Self> {
        let pidfd =
            pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| refused::find(pid, as_nix(errno)))?;
        let dir = match number_in_proc(&pidfd)? {
            Some(number) => open(
                format!("/proc/{number}"),
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
            .cannot_with(|| format!("look at process {pid}"))?,
            None => return Err(Error::new(format_args!("look at process {pid}"), "it has ended")),
        };
        let target = Target { pid, pidfd, dir };
        target.check_alive().map(|()| target)
    }

    /// Fails when it has ended, which makes all that was learnt of it doubtful.
    fn check_alive(&self) -> Result<()> {
        let mut ended = [PollFd::new(&self.pidfd, PollFlags::IN)];
        match poll(&mut ended, Some(&Timespec::default())).cannot_with(|| format!("watch {self}"))? {
            0 => Ok(()),
            _ => Err(Error::new(format_args!("enter {self}"), "it has ended")),
        }
    }

    /// Which namespace of this kind it is in; `None` when its kernel has no such kind.
    pub fn identity(&self, kind: Kind) -> Result<Option<Identity>> {
        match statat(&self.dir, format!("ns/{}", kind.row().file), AtFlags::empty()) {
            Ok(stat) => Ok(Some((stat.st_dev, stat.st_ino))),
            Err(rustix::io::Errno::NOENT) => self.check_alive().map(|()| None),
            Err(errno) => Err(refused::look(self, as_nix(errno))),
        }
    }

    /// Its `root` or `cwd`, as a directory to go to.
    pub fn directory(&self, name: &str) -> Result<OwnedFd> {
        openat(&self.dir, name, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| refused::look(self, as_nix(errno)))
    }

    /// The pidfd, which setns(2) takes for namespaces of any kind.
    pub fn into_pidfd(self) -> OwnedFd {
        self.pidfd
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// The number of a process in this /proc, which may belong to another pid namespace than the caller's own:
/// pidfd_open(2), "Pid" of fdinfo. `None` for a process that has gone.
fn number_in_proc(pidfd: &OwnedFd) -> Result<Option<u32>> {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd()))
        .cannot("look into /proc")
        .map_err(|e| e.hint_if(Errno::ENOENT, "a proc file system must be mounted there"))?;
    let number = info.lines().find_map(|line| line.strip_prefix("Pid:")).map(str::trim);
    match number.and_then(|number| number.parse::<i32>().ok()) {
        Some(0) | None => Err(Error::new("look at the process", "/proc does not show it")
            .hint("/proc is of another pid namespace: mount -t proc proc /proc")),
        Some(number) => Ok(u32::try_from(number).ok()),
    }
}

fn as_nix(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}
