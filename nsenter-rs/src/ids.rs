//! Root of the user namespace that was entered, where it has one.

use chain::{Cannot, Error, Result};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};
use rustix::fs::{Mode, OFlags, openat};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

/// Drops the supplementary groups of a privileged caller while it may still: the user namespace to be entered
/// may forbid it. Without the right to, nothing changes.
pub fn drop_groups_early() {
    let _ = setgroups(&[]);
}

/// Takes user and group 0 and no other groups, as far as this process's user namespace has a 0 and allows it:
/// user_namespaces(7). `own` is its directory in the /proc that it came from.
pub fn take(own: &OwnedFd) -> Result<()> {
    let [users, groups, setting] = ["uid_map", "gid_map", "setgroups"].map(|file| read(own, file));
    let (users, groups, setting) = (users?, groups?, setting?);
    if setting.trim() != "deny" && !groups.is_empty() {
        setgroups(&[]).cannot("drop the supplementary groups").map_err(keep)?;
    }
    if has_root(&groups) {
        let root = Gid::from_raw(0);
        setresgid(root, root, root).cannot("become group 0 of the user namespace").map_err(keep)?;
    }
    if has_root(&users) {
        let root = Uid::from_raw(0);
        setresuid(root, root, root).cannot("become user 0 of the user namespace").map_err(keep)?;
    }
    Ok(())
}

fn keep(e: Error) -> Error {
    e.hint("--preserve-credentials leaves the ids as they are")
}

/// The maps are of the namespace in which the file is opened, so each is opened anew.
fn read(own: &OwnedFd, file: &str) -> Result<String> {
    let mut text = String::new();
    openat(own, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(std::io::Error::from)
        .and_then(|fd| File::from(fd).read_to_string(&mut text))
        .cannot_with(|| format!("read {file} of the user namespace"))?;
    Ok(text)
}

/// Whether a map has an id 0 inside.
fn has_root(map: &str) -> bool {
    map.lines().any(|line| line.split_whitespace().next() == Some("0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_a_root_when_a_line_begins_with_0() {
        assert!(has_root("         0       1000          1\n"));
        assert!(has_root("      1000       1000          1\n         0     100000      65536\n"));
        assert!(!has_root("         1          0          1\n"));
        assert!(!has_root(""));
    }
}
