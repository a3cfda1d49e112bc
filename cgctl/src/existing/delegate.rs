//! A group is given to a user, who may then make groups in it: cgroups(7), "Cgroups delegation".
//!
//! The user gets the directory, and the files that move processes and enable controllers, but no file that limits the
//! group itself: those are the giver's.

use crate::existing::Group;
use crate::group::Directory;
use crate::hierarchy::{Version, file};
use chain::text::show;
use chain::{Error, Result, accounts};
use rustix::fs::{AtFlags, Gid, Uid, XattrFlags, chownat, fchown, fsetxattr};
use rustix::io::Errno;

/// What v2 lets go of when the kernel does not say (before Linux 4.15).
const V2: [&str; 3] = ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"];
/// What v1 has instead.
const V1: [&str; 2] = ["cgroup.procs", "tasks"];

/// A user, and a group of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group; `None` leaves it as it is.
    pub group: Option<u32>,
}

/// Gives it in every hierarchy that has it; what cannot be given is given back.
pub fn give(group: &Group, owner: Owner) -> Result<()> {
    for (index, part) in group.parts.iter().enumerate() {
        if let Err(errno) = give_directory(&part.directory, owner) {
            for part in &group.parts[..=index] {
                let _ = give_directory(&part.directory, Owner { user: 0, group: Some(0) });
            }
            let error = file::cannot(
                format_args!("give {} to user {}", show(&part.directory.path), owner.user),
                errno,
            );
            return Err(match errno {
                Errno::PERM => error.hint("that needs CAP_CHOWN: run as root"),
                _ => error,
            });
        }
    }
    Ok(())
}

fn give_directory(directory: &Directory, owner: Owner) -> rustix::io::Result<()> {
    let (user, group) = (Uid::from_raw(owner.user), owner.group.map(Gid::from_raw));
    for name in files(directory.version) {
        match chownat(directory, &name, Some(user), group, AtFlags::SYMLINK_NOFOLLOW) {
            // The kernel lists files of controllers that are not enabled here, too.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
    fchown(directory, Some(user), group)?;
    // As systemd marks what it has delegated; it is told by `cgctl info`, and heeded by other programs.
    let is_given: &[u8] = if owner.user == 0 { b"0" } else { b"1" };
    match fsetxattr(directory, "user.delegate", is_given, XattrFlags::empty()) {
        Err(Errno::OPNOTSUPP) => Ok(()),
        other => other,
    }
}

fn files(version: Version) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    match version {
        Version::V1 => own(&V1),
        Version::V2 => match file::read_path("/sys/kernel/cgroup/delegate") {
            Ok(list) if !list.is_empty() => list.lines().map(str::to_owned).collect(),
            _ => own(&V2),
        },
    }
}

/// Reads `USER` or `USER:GROUP`, each a name or a number. A user alone brings the group of /etc/passwd along.
pub fn owner(text: &str) -> Result<Owner> {
    let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
    let unknown = |kind: &str, name: &str| {
        Error::new(
            format_args!("give a group to {}", show(text)),
            format_args!("there is no {kind} {}", show(name)),
        )
    };
    let id = accounts::find("/etc/passwd", user).ok_or_else(|| unknown("user", user))?;
    let group = match group {
        Some(group) => Some(accounts::find("/etc/group", group).ok_or_else(|| unknown("group", group))?),
        None => accounts::primary_group(id),
    };
    Ok(Owner { user: id, group })
}
