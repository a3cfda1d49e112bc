//! The process to enter, held by one pidfd from first to last: its number may be another's in a moment.

use crate::cli::Process;
use crate::refused;
use chain::ns::{Identity, Kind};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, OFlags, fstat, fstatfs, open, openat, statat};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// A process that was there when it was opened.
#[derive(Debug)]
pub struct Target {
    pid: Pid,
    pidfd: OwnedFd,
    dir: OwnedFd,
}

const IN_PROC: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The file system of pidfds, linux/magic.h: Linux 6.9. Before, all of them had the same inode.
const PIDFS: u64 = 0x5049_4446;

impl Target {
    /// Opens it, by a pidfd first: its directory in /proc is of the same process if that lives on afterwards, and
    /// stays so, since what is looked up in the directory of a process that has ended is not there (ESRCH).
    pub fn open(process: Process) -> Result<Self> {
        let pid = process.pid;
        let pidfd =
            pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| refused::find(pid, as_nix(errno)))?;
        process.inode.map_or(Ok(()), |inode| check_inode(pid, &pidfd, inode))?;
        let dir = match number_in_proc(&pidfd)? {
            Some(number) => open(format!("/proc/{number}"), IN_PROC, Mode::empty())
                .cannot_with(|| format!("look at process {pid}"))?,
            None => return Err(Error::new(format_args!("enter process {pid}"), "it has ended")),
        };
        let target = Target { pid, pidfd, dir };
        target.check_alive().map(|()| target)
    }

    /// The pidfd, which setns(2) takes for namespaces of any kind.
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Fails when it has ended, which makes all that was learnt of it doubtful.
    pub fn check_alive(&self) -> Result<()> {
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
            Err(rustix::io::Errno::NOENT) => self.check_visible().map(|()| None),
            Err(errno) => Err(refused::look(self, "the namespaces", as_nix(errno))),
        }
    }

    fn check_visible(&self) -> Result<()> {
        self.check_alive()?;
        statat(&self.dir, "ns", AtFlags::empty())
            .cannot_with(|| format!("look at the namespaces of {self}"))
            .map(drop)
            .map_err(|e| {
                e.hint_if(Errno::ENOENT, "/proc hides it (the mount option hidepid); run it as root")
            })
    }

    /// A namespace of it.
    pub fn namespace(&self, kind: Kind) -> Result<OwnedFd> {
        let file = format!("ns/{}", kind.row().file);
        openat(&self.dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| refused::look(self, "the namespaces", as_nix(errno)))
    }

    /// Its `root` or `cwd`, as a directory to go to.
    pub fn directory(&self, name: &str) -> Result<OwnedFd> {
        openat(&self.dir, name, IN_PROC, Mode::empty())
            .map_err(|errno| refused::look(self, "the directories", as_nix(errno)))
    }

    /// The content of a file of its directory in /proc. Ids in it are those of the user namespace of the reader.
    pub fn read(&self, file: &str) -> Result<Vec<u8>> {
        let look = |errno| refused::look(self, &format!("the {file} file"), errno);
        let fd = openat(&self.dir, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|errno| look(as_nix(errno)))?;
        let mut bytes = Vec::new();
        File::from(fd)
            .read_to_end(&mut bytes)
            .map_err(|e| look(Errno::from_raw(e.raw_os_error().unwrap_or_default())))?;
        Ok(bytes)
    }

    /// A duplicate of its descriptor: pidfd_getfd(2), Linux 5.6.
    pub fn descriptor(&self, fd: i32) -> Result<OwnedFd> {
        pidfd_getfd(&self.pidfd, fd, PidfdGetfdFlags::empty()).map_err(|errno| match as_nix(errno) {
            Errno::EBADF => {
                Error::new(format_args!("take descriptor {fd} of {self}"), "it has none of this number")
                    .hint(format_args!("`ls -l /proc/{}/fd` shows what it has", self.pid))
            }
            errno => refused::look(self, "the descriptors", errno),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)
    }
}

/// A pidfd's inode is never given twice while the machine runs: Linux 6.9.
fn check_inode(pid: Pid, pidfd: &OwnedFd, inode: u64) -> Result<()> {
    let what = || format!("find process {pid}:{inode}");
    if fstatfs(pidfd).cannot_with(what)?.f_type as u64 != PIDFS {
        return Err(Error::new(what(), "this kernel cannot tell processes apart by inode, Linux 6.9 can"));
    }
    match fstat(pidfd).cannot_with(what)?.st_ino {
        found if found == inode => Ok(()),
        found => Err(Error::new(what(), "No such process")
            .hint(format_args!("the number belongs to another one by now, {pid}:{found}"))),
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

/// The same error number in the words of the other library.
pub fn as_nix(errno: rustix::io::Errno) -> Errno {
    Errno::from_raw(errno.raw_os_error())
}
