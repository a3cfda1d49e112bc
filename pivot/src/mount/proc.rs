//! What lies on top of /proc and /sys: parts that are hidden, parts that are read-only.

use crate::defaults::{CPU, CPUS, HIDDEN_CPU, HIDDEN_DIRECTORIES, HIDDEN_FILES, HIDDEN_SYS, READ_ONLY};
use crate::mount::covers::Covers;
use crate::mount::{attach_at, copy};
use crate::plan::{Masks, MountOptions};
use chain::sys::mount::{RDONLY, clear_attributes};
use chain::{Cannot, Result};
use rustix::fs::{Mode, OFlags, openat};
use rustix::io::{self, Errno};
use std::fs::File;
use std::io::Read;
use std::os::fd::BorrowedFd;

/// Whether it shows nothing but processes, and so nothing to be hidden: the option `pid`.
pub fn is_subset(options: &MountOptions) -> bool {
    options.parameters.iter().any(|(name, _)| name == "subset")
}

/// Finishes `proc`, the read-only procfs on /proc, and makes it writable unless it is to stay so.
pub fn finish_proc(
    proc: BorrowedFd<'_>,
    options: &MountOptions,
    masks: &Masks,
    covers: &mut Covers,
) -> Result<()> {
    if is_subset(options) {
        return Ok(());
    }
    let is_on = |name: &&&str| !masks.is_off_at("/proc", name);
    for name in READ_ONLY.iter().filter(is_on) {
        stay_read_only(proc, name).cannot_with(|| format!("make /proc/{name} read-only"))?;
    }
    for name in HIDDEN_FILES.iter().filter(is_on) {
        covers.hide_file(proc, *name, &format!("/proc/{name}"))?;
    }
    for name in HIDDEN_DIRECTORIES.iter().filter(is_on) {
        covers.hide_directory(proc, *name, &format!("/proc/{name}"))?;
    }
    if options.set & RDONLY == 0 {
        clear_attributes(proc, RDONLY, false).cannot("make /proc writable")?;
    }
    Ok(())
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
pub fn finish_sys(sys: BorrowedFd<'_>, masks: &Masks, covers: &mut Covers) -> Result<()> {
    for name in HIDDEN_SYS.iter().filter(|name| !masks.is_off_at("/sys", name)) {
        covers.hide_directory(sys, *name, &format!("/sys/{name}"))?;
    }
    if masks.is_off_at("/sys", CPU) { Ok(()) } else { hide_of_cpus(sys, covers) }
}

/// Processor 0 can tell whether there is anything to hide: nowhere can it be switched off while others have it.
fn hide_of_cpus(sys: BorrowedFd<'_>, covers: &mut Covers) -> Result<()> {
    let (before, after) = HIDDEN_CPU;
    let mut hide = |number: usize| {
        let path = format!("{before}{number}{after}");
        covers.hide_directory(sys, path.as_str(), &format!("/sys/{path}"))
    };
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
