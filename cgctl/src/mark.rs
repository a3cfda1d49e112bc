//! What a directory of ours says of itself, for `gc`: an extended attribute, which Linux 5.7 and later keep for groups
//! of both versions (kernfs_vfs_user_xattr_set in fs/kernfs/inode.c).
//!
//! A group in a directory called `cgctl` goes with its owner unless it is marked to stay; one that is elsewhere
//! goes with its owner only when it is marked to go, because other people's groups are there as well.

use rustix::fs::{XattrFlags, fgetxattr, fsetxattr};
use rustix::io::Result;
use std::os::fd::AsFd;

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
