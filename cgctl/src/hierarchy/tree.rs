//! Walks through a tree of groups with two open directories, however deep a hostile program has made it.

use crate::hierarchy::file;
use crate::hierarchy::patience::Patience;
use rustix::fs::{AtFlags, Dir, FileType, unlinkat};
use rustix::io::{Errno, Result};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The names of the groups in `dir`; none when it has gone.
pub fn groups(dir: impl AsFd) -> Vec<CString> {
    // kernfs counts the directories in one as links to it (kernfs_refresh_inode in fs/kernfs/inode.c).
    if rustix::fs::fstat(&dir).is_ok_and(|found| found.st_nlink == 2) {
        return Vec::new();
    }
    let Ok(entries) = Dir::read_from(dir) else { return Vec::new() };
    let dots = |name: &CString| matches!(name.as_bytes(), b"." | b"..");
    let entries =
        entries.filter_map(std::result::Result::ok).filter(|entry| entry.file_type() == FileType::Directory);
    entries.map(|entry| entry.file_name().to_owned()).filter(|name| !dots(name)).collect()
}

/// Visits `top` and every group below it, the upper ones first, with their paths below `top`.
pub fn each(top: impl AsFd, mut visit: impl FnMut(&OwnedFd, &Path)) -> Result<()> {
    let mut here = file::directory_in(&top, c".")?;
    let mut path = PathBuf::new();
    visit(&here, &path);
    let mut waiting = vec![groups(&here)];
    while let Some(level) = waiting.last_mut() {
        if let Some(name) = level.pop() {
            let Ok(child) = file::directory_in(&here, &name) else { continue };
            path.push(OsStr::from_bytes(name.as_bytes()));
            visit(&child, &path);
            waiting.push(groups(&child));
            here = child;
        } else {
            waiting.pop();
            path.pop();
            if !waiting.is_empty() {
                here = file::directory_in(&here, c"..")?;
            }
        }
    }
    Ok(())
}

/// Removes every group below `top`, the lower ones first. A group that is still busy is tried again for as long
/// as `patience` lasts: of a v1 hierarchy the kernel lets go a moment after the last process.
pub fn clear(top: impl AsFd, patience: &mut Patience) -> Result<()> {
    let mut here = file::directory_in(&top, c".")?;
    let mut path: Vec<CString> = Vec::new();
    let mut waiting = vec![groups(&here)];
    while let Some(level) = waiting.last_mut() {
        if let Some(name) = level.pop() {
            if matches!(unlinkat(&here, &name, AtFlags::REMOVEDIR), Ok(()) | Err(Errno::NOENT)) {
                continue;
            }
            here = file::directory_in(&here, &name)?;
            waiting.push(groups(&here));
            path.push(name);
        } else {
            waiting.pop();
            if let Some(name) = path.pop() {
                here = file::directory_in(&here, c"..")?;
                remove(&here, &name, patience)?;
            }
        }
    }
    Ok(())
}

/// Removes the empty group `name`; that it has gone already is as good.
pub fn remove(parent: impl AsFd, name: impl rustix::path::Arg + Copy, patience: &mut Patience) -> Result<()> {
    loop {
        match unlinkat(&parent, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::BUSY) if patience.pause() => {}
            Err(e) => return Err(e),
        }
    }
}

/// The sum of a counter of lines `NAME NUMBER` over the group and those below it that are still there; `None` when the
/// group has no such number.
pub fn sum(top: impl AsFd, file: &str, name: &str) -> Option<u64> {
    let count = |group: &OwnedFd| file::field(&file::read(group, file).ok()?, name);
    let mut total = None;
    let _ = each(top, |group, path| {
        let is_top = path.as_os_str().is_empty();
        total = if is_top { count(group) } else { total.map(|sum: u64| sum + count(group).unwrap_or(0)) };
    });
    total
}
