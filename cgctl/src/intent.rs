//! What is about to be made: for the moment between the making of a group and its marking, the group around it says
//! so, in an extended attribute with the number of the maker. Elsewhere than in a directory called `cgctl`, a group
//! without a mark is somebody else's, and this tells apart one whose maker was killed in that moment.

use crate::file;
use crate::lock;
use crate::mark::{self, Mark};
use crate::tree;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

const PREFIX: &str = "user.cgctl+";

fn attribute(name: &OsStr) -> Vec<u8> {
    [PREFIX.as_bytes(), name.as_bytes()].concat()
}

/// Says in `dir` that this process is about to make the group `name` in it. Where it cannot be said, it is not.
pub fn announce(dir: impl AsFd, name: &OsStr) {
    let maker = std::process::id().to_string();
    let _ = fsetxattr(dir, attribute(name), maker.as_bytes(), XattrFlags::empty());
}

/// It has been made and marked, or it is not going to be.
pub fn done(dir: impl AsFd, name: &OsStr) {
    let _ = fremovexattr(dir, attribute(name));
}

/// Marks what dead makers have left in `dir` to go.
pub fn settle(dir: impl AsFd) {
    let mut list = vec![0; 4096];
    let Ok(length) = flistxattr(&dir, &mut list[..]) else { return };
    let names =
        list[..length].split(|byte| *byte == 0).filter_map(|name| name.strip_prefix(PREFIX.as_bytes()));
    for name in names.map(OsStr::from_bytes) {
        if is_dead(&dir, name) {
            finish(&dir, name);
            done(&dir, name);
        }
    }
}

fn is_dead(dir: impl AsFd, name: &OsStr) -> bool {
    let mut value = [0; 16];
    let maker = fgetxattr(dir, attribute(name), &mut value[..]).ok();
    let maker = maker.and_then(|length| std::str::from_utf8(&value[..length]).ok()?.parse().ok());
    maker.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH))
}

/// Only an empty group is taken for what it left: another may have been made since, by hand.
fn finish(dir: impl AsFd, name: &OsStr) {
    let Ok(group) = file::directory_in(&dir, name) else { return };
    let is_empty = tree::groups(&group).is_empty()
        && file::read(&group, "cgroup.procs").is_ok_and(|processes| processes.is_empty());
    if is_empty && mark::get(&group).is_none() && lock::take(&group) {
        let _ = mark::set(&group, Mark::Goes);
    }
}
