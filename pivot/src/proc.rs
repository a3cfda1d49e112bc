//! What lies on top of /proc and /sys: parts that are hidden, parts that are read-only.

use crate::defaults::{CPUS, DEVICES, EMPTY, READ_ONLY};
use crate::defaults::{HIDDEN_CPU, HIDDEN_DIRECTORIES, HIDDEN_FILES, HIDDEN_SYS};
use crate::dev::device_of_host;
use crate::mounts::{attach_at, copy};
use chain::sys::mount::{NOEXEC, NOSUID, RDONLY, clear_attributes, set_attributes};
use chain::{Cannot, Result};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{self, Errno};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What hides a file, the null device, and what hides a directory, an empty one. Both are read-only, so that the
/// null device keeps its mode and owner.
#[derive(Debug, Default)]
pub struct Covers {
    file: Cover,
    directory: Cover,
}

/// One mount and its copies: making the first is dear, copying it cheap, and only a mount that has appeared can be
/// copied (before Linux 6.15).
#[derive(Debug, Default)]
struct Cover {
    unused: Option<OwnedFd>,
    used: Option<OwnedFd>,
}

impl Covers {
    /// Takes the null device of `dev`, the tmpfs on /dev.
    pub fn hide_files_with(&mut self, dev: BorrowedFd<'_>) -> Result<()> {
        let null = copy(dev, "null").cannot("take /dev/null")?;
        set_attributes(null.as_fd(), RDONLY | NOSUID | NOEXEC, false).cannot("take /dev/null")?;
        self.file.unused = Some(null);
        Ok(())
    }

    fn hide_file(&mut self, proc: BorrowedFd<'_>, name: &str) -> Result<bool> {
        let cover = self.file.take(|| device_of_host(&DEVICES[0]))?;
        self.file.lay(cover, proc, name).cannot_with(|| format!("hide /proc/{name}"))
    }

    fn hide_directory(&mut self, dir: BorrowedFd<'_>, top: &str, name: &str) -> Result<bool> {
        let cover = self.directory.take(|| EMPTY.make().cannot("make an empty directory"))?;
        self.directory.lay(cover, dir, name).cannot_with(|| format!("hide {top}/{name}"))
    }
}

impl Cover {
    fn take(&mut self, make: impl Fn() -> Result<OwnedFd>) -> Result<OwnedFd> {
        match (self.unused.take(), &self.used) {
            (Some(unused), _) => Ok(unused),
            (None, Some(used)) => copy(used, "").cannot("copy a mount"),
            (None, None) => make(),
        }
    }

    /// Lays `cover` over `name` below `dir`; `false` when there is no such file, as kernels differ in what they have.
    fn lay(&mut self, cover: OwnedFd, dir: BorrowedFd<'_>, name: &str) -> io::Result<bool> {
        match attach_at(&cover, dir, name) {
            Ok(()) => self.used = Some(cover),
            Err(Errno::NOENT) => {
                self.unused = Some(cover);
                return Ok(false);
            }
            Err(e) => return Err(e),
        }
        Ok(true)
    }
}

/// Finishes `proc`, the read-only procfs on /proc, and makes it writable.
pub fn finish_proc(proc: BorrowedFd<'_>, covers: &mut Covers) -> Result<()> {
    for name in READ_ONLY {
        stay_read_only(proc, name).cannot_with(|| format!("make /proc/{name} read-only"))?;
    }
    for name in HIDDEN_FILES {
        covers.hide_file(proc, name)?;
    }
    for name in HIDDEN_DIRECTORIES {
        covers.hide_directory(proc, "/proc", name)?;
    }
    clear_attributes(proc, RDONLY, false).cannot("make /proc writable")
}

/// A copy has the flags of what it is copied from, which is still read-only: that saves a call for each.
fn stay_read_only(proc: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    match copy(proc, name) {
        Ok(part) => attach_at(part, proc, name),
        Err(Errno::NOENT) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Finishes `sys`, the sysfs on /sys.
pub fn finish_sys(sys: BorrowedFd<'_>, covers: &mut Covers) -> Result<()> {
    for name in HIDDEN_SYS {
        covers.hide_directory(sys, "/sys", name)?;
    }
    hide_of_cpus(sys, covers)
}

/// Processor 0 can tell whether there is anything to hide: nowhere can it be switched off while others have it.
fn hide_of_cpus(sys: BorrowedFd<'_>, covers: &mut Covers) -> Result<()> {
    let (before, after) = HIDDEN_CPU;
    let mut hide = |number: usize| covers.hide_directory(sys, "/sys", &format!("{before}{number}{after}"));
    if hide(0)? {
        for number in 1..=last_cpu(sys).cannot_with(|| format!("read /sys/{CPUS}"))? {
            hide(number)?;
        }
    }
    Ok(())
}

fn last_cpu(sys: BorrowedFd<'_>) -> std::io::Result<usize> {
    let mut text = String::new();
    File::from(openat(sys, CPUS, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
        .read_to_string(&mut text)?;
    Ok(last_of(&text))
}

/// The last number of a list such as "0-3,8-11".
fn last_of(list: &str) -> usize {
    list.trim_end().rsplit([',', '-']).next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_processor_ends_the_list() {
        for (list, last) in [("0\n", 0), ("0-7\n", 7), ("0-3,8-11\n", 11), ("0,2\n", 2), ("", 0)] {
            assert_eq!(last_of(list), last, "{list:?}");
        }
    }
}
