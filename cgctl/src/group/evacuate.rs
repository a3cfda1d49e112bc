//! A group whose processes are in the way of limits below it: they go to a group `cgctl.leaf` inside it, for good.

use crate::hierarchy::file;
use crate::hierarchy::patience::Patience;
use crate::hierarchy::place::LEAF;
use crate::plan::advice;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, mkdirat};
use rustix::io::Errno;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// How long processes that start others are run after.
const LIMIT: Duration = Duration::from_secs(5);

/// Moves every process of `group` to its leaf, and back when that cannot be done for one of them.
pub fn evacuate(group: &Path) -> Result<()> {
    let what = || format!("evacuate {}", show(group));
    let from = file::directory(group).cannot_with(what)?;
    let is_new = match mkdirat(&from, LEAF, Mode::from_raw_mode(0o755)) {
        Err(Errno::EXIST) => false,
        other => other.map(|()| true).cannot_with(what)?,
    };
    let leaf = file::directory_in(&from, LEAF).cannot_with(what)?;
    let mut moved = Vec::new();
    let done = move_all(&from, &leaf, &mut moved);
    if done.is_err() {
        for pid in moved {
            let _ = file::write(&from, PROCS, &pid);
        }
        if is_new {
            let _ = std::fs::remove_dir(group.join(LEAF));
        }
    }
    done.map_err(|why| match why {
        Stuck::At(pid, errno) => explain(
            Error::os(
                format_args!("{} of process {pid}", what()),
                nix::errno::Errno::from_raw(errno.raw_os_error()),
            ),
            errno,
        ),
        Stuck::Hidden => Error::new(what(), "it has a process of another pid namespace")
            .hint("run it where all processes of the group are seen"),
        Stuck::Busy => Error::new(what(), "new processes come faster than they can be moved"),
    })
}

const PROCS: &str = "cgroup.procs";

enum Stuck {
    At(String, Errno),
    Hidden,
    Busy,
}

fn move_all(from: &OwnedFd, to: &OwnedFd, moved: &mut Vec<String>) -> std::result::Result<(), Stuck> {
    let mut patience = Patience::of(LIMIT);
    loop {
        let processes = file::read(from, PROCS).map_err(|errno| Stuck::At("?".to_owned(), errno))?;
        if processes.is_empty() {
            return Ok(());
        }
        for pid in processes.lines() {
            if pid == "0" {
                return Err(Stuck::Hidden);
            }
            match file::write(to.as_fd(), PROCS, pid) {
                Ok(()) => moved.push(pid.to_owned()),
                // It has ended.
                Err(Errno::SRCH) => {}
                Err(errno) => return Err(Stuck::At(pid.to_owned(), errno)),
            }
        }
        if !patience.pause() {
            return Err(Stuck::Busy);
        }
    }
}

fn explain(error: Error, errno: Errno) -> Error {
    match errno {
        Errno::ACCESS | Errno::PERM => error.hint(advice::boundary(true)),
        Errno::OPNOTSUPP => error.hint("it is a threaded group"),
        Errno::INVAL => error.hint("it is a thread of the kernel, which stays where it is"),
        _ => error,
    }
}
