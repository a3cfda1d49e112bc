//! A process that runs already goes into a group.

use crate::existing::{Group, Part};
use crate::group::enter;
use crate::hierarchy::{Hierarchies, Version, file};
use chain::process::Status;
use chain::text::show;
use chain::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::ffi::OsStr;
use std::fmt::Display;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A process that was there, and can be told from a later one of the same number.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Process {
    /// Finds it. Refuses what cannot be moved, with the reason.
    pub fn find(text: &OsStr) -> Result<Self> {
        let refused = |why: &dyn Display| Error::new(format_args!("move process {}", show(text)), why);
        let number = text.to_str().and_then(|text| text.parse().ok()).filter(|pid| *pid > 0);
        let pid = number.and_then(Pid::from_raw).ok_or_else(|| refused(&"it is no number of a process"))?;
        let status = Status::read(&pid.as_raw_nonzero().to_string());
        let status = status.map_err(|_| refused(&"there is no such process"))?;
        let process = status.field("Tgid").unwrap_or_default();
        if process != pid.as_raw_nonzero().to_string() {
            return Err(refused(&"it is a thread").hint(format_args!("its process is {process}")));
        }
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|_| refused(&"there is no such process"))?;
        let name = status.field("Name").unwrap_or("?");
        match () {
            () if is_kernel_thread(pid) => Err(refused(&format_args!(
                "{name} is a thread of the kernel, which stays where the kernel put it"
            ))),
            () if status.field("State").is_some_and(|state| state.starts_with(['Z', 'X'])) => Err(refused(
                &format_args!("{name} has ended already, and waits for its parent to ask for its status"),
            )),
            () => Ok(Process { pid, pidfd }),
        }
    }

    fn has_ended(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&now)) != Ok(0)
    }
}

/// PF_KTHREAD of include/linux/sched.h, in the field "flags" of proc_pid_stat(5).
const KERNEL_THREAD: u64 = 0x0020_0000;

fn is_kernel_thread(pid: Pid) -> bool {
    let stat = file::read_path(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let flags =
        stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

/// Moves it in every hierarchy that has the group; back again when one of them refuses.
pub fn into(process: &Process, group: &Group, all: &Hierarchies) -> Result<()> {
    let pid = process.pid.as_raw_nonzero().to_string();
    let before = where_it_is(&pid, all);
    for (count, part) in group.parts.iter().enumerate() {
        // The number would be another's now.
        if process.has_ended() {
            return Err(Error::new(format_args!("move process {pid}"), "it has ended"));
        }
        if let Err(errno) = file::write(&part.directory, "cgroup.procs", &pid) {
            go_back(&pid, &before, &group.parts[..count]);
            return Err(refused(&pid, part, errno));
        }
    }
    Ok(())
}

fn refused(pid: &str, part: &Part, errno: Errno) -> Error {
    let what = format!("move process {pid} into {}", show(&part.directory.path));
    match errno {
        Errno::SRCH => Error::new(what, "it has ended"),
        Errno::INVAL if part.directory.version == Version::V1 => {
            Error::new(what, "the kernel does not let this process go")
                .hint("a real-time process needs cpu.rt_runtime_us in the group")
        }
        errno => enter::refused_as(&what, &part.directory, errno),
    }
}

/// Its directory in each hierarchy, where the mount shows it.
fn where_it_is(pid: &str, all: &Hierarchies) -> Vec<Option<PathBuf>> {
    let text = file::read_path(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    all.0.iter().map(|hierarchy| hierarchy.place_of(&text)).collect()
}

fn go_back(pid: &str, before: &[Option<PathBuf>], parts: &[Part]) {
    for part in parts {
        if let Some(Some(path)) = before.get(part.hierarchy)
            && let Ok(directory) = file::directory(path)
        {
            let _ = file::write(directory, "cgroup.procs", pid);
        }
    }
}
