//! What a directory of ours says of itself, for `gc`: an extended attribute, which Linux 5.7 and later keep for groups
//! of both versions (kernfs_vfs_user_xattr_set in fs/kernfs/inode.c).
//!
//! A group in a directory called `cgctl` goes with its owner unless it is marked to stay; one that is elsewhere
//! goes with its owner only when it is marked to go, because other people's groups are there as well. The moment
//! between making and marking one is bridged by an [`Announcement`].

use crate::hierarchy::file;
use rustix::fs::{AtFlags, XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr, statat, unlinkat};
use rustix::io::{Errno, Result};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

const NAME: &str = "user.cgctl";

/// What becomes of a group when its owner has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It stays until somebody removes it.
    Stays,
    /// It stays for as long as there is a process in it.
    Lasts,
    /// It goes.
    Goes,
}

/// Marks a directory, or changes its mark.
pub fn set(dir: impl AsFd, mark: Mark) -> Result<()> {
    let value: &[u8] = match mark {
        Mark::Stays => b"stays",
        Mark::Lasts => b"lasts",
        Mark::Goes => b"goes",
    };
    fsetxattr(dir, NAME, value, XattrFlags::empty())
}

/// The mark of a directory, if it has one of ours.
pub fn get(dir: impl AsFd) -> Option<Mark> {
    let mut value = [0; 16];
    match fgetxattr(dir, NAME, &mut value[..]).map(|length| &value[..length]) {
        Ok(b"stays") => Some(Mark::Stays),
        Ok(b"lasts") => Some(Mark::Lasts),
        Ok(b"goes") => Some(Mark::Goes),
        _ => None,
    }
}

/// It is meant to stay.
pub fn stays(dir: impl AsFd) -> bool {
    get(dir) == Some(Mark::Stays)
}

/// A directory is about to be made, and not yet marked: said by its parent, under the pid of who makes it.
#[derive(Debug)]
pub struct Announcement<'a> {
    parent: &'a OwnedFd,
    attribute: String,
}

impl<'a> Announcement<'a> {
    /// Says that `name` is about to be made, unless it is there already. It is taken back when this is dropped.
    pub fn make(parent: &'a OwnedFd, name: &OsStr) -> Option<Self> {
        let is_there = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).err() != Some(Errno::NOENT);
        let attribute = format!("{NAME}.{}", std::process::id());
        // One who may not write attributes there has other ways to be told of what is left.
        let is_said =
            !is_there && fsetxattr(parent, &attribute, name.as_bytes(), XattrFlags::empty()).is_ok();
        is_said.then_some(Announcement { parent, attribute })
    }
}

impl Drop for Announcement<'_> {
    fn drop(&mut self) {
        let _ = fremovexattr(self.parent, &self.attribute);
    }
}

/// Removes from `parent` what killed ones have announced there and made, but not marked. Such a directory is empty;
/// one that is not belongs to somebody who had the same name in mind. Gives the names of what was removed.
pub fn take_back(parent: &OwnedFd) -> Vec<OsString> {
    let mut list = [0; 4096];
    let length = flistxattr(parent, &mut list[..]).unwrap_or(0);
    let attributes =
        list[..length].split(|byte| *byte == 0).filter_map(|name| std::str::from_utf8(name).ok());
    attributes.filter_map(|attribute| take_back_one(parent, attribute)).collect()
}

fn take_back_one(parent: &OwnedFd, attribute: &str) -> Option<OsString> {
    let pid: u32 = attribute.strip_prefix(NAME)?.strip_prefix('.')?.parse().ok()?;
    if std::fs::exists(format!("/proc/{pid}")).unwrap_or(true) {
        return None;
    }
    let mut value = [0; 256];
    let length = fgetxattr(parent, attribute, &mut value[..]).ok()?;
    let name = OsStr::from_bytes(value.get(..length)?);
    let child = file::directory_in(parent, name);
    let is_marked = child.is_ok_and(|child| get(child).is_some());
    let is_gone = !is_marked && unlinkat(parent, name, AtFlags::REMOVEDIR).is_ok();
    let _ = fremovexattr(parent, attribute);
    is_gone.then(|| name.to_owned())
}
