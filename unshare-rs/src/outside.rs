//! What only a process in the old namespaces can do for the one in the new: id maps and kept namespaces.

use crate::mapping::Setgroups;
use crate::plan::Outside;
use chain::idmap::{GROUPS, USERS, give_up_setgroups};
use chain::ns::Kind;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::Pid;
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes the maps of `pid` and binds its namespaces to their files; all of it or, on an error, nothing.
pub fn finish(plan: &Outside, pid: Pid) -> Result<()> {
    if plan.setgroups == Some(Setgroups::Deny) {
        give_up_setgroups(pid)?;
    }
    if let Some(map) = &plan.groups {
        map.write(&GROUPS, pid)?;
    }
    if let Some(map) = &plan.users {
        map.write(&USERS, pid)?;
    }
    let mut kept = Vec::new();
    for (kind, file) in &plan.files {
        kept.push(keep(*kind, file, pid)?);
    }
    kept.into_iter().for_each(std::mem::forget);
    Ok(())
}

/// What [`keep`] has made, unmade when dropped.
struct Kept {
    file: PathBuf,
    is_new: bool,
    is_mounted: bool,
}

fn keep(kind: Kind, file: &Path, pid: Pid) -> Result<Kept> {
    let what = || format!("keep the {} namespace on {}", kind.row().name, show(file));
    let is_new = match File::create_new(file) {
        Ok(_) => true,
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => false,
        Err(e) => return Err(e).cannot_with(what),
    };
    let mut kept = Kept { file: file.to_owned(), is_new, is_mounted: false };
    mount_bind(format!("/proc/{pid}/ns/{}", kind.row().for_children), file)
        .cannot_with(what)
        .map_err(|e| explain(e, kind))?;
    kept.is_mounted = true;
    Ok(kept)
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.is_mounted {
            let _ = unmount(&self.file, UnmountFlags::DETACH);
        }
        if self.is_new {
            let _ = std::fs::remove_file(&self.file);
        }
    }
}

fn explain(error: Error, kind: Kind) -> Error {
    match (error.errno(), kind) {
        (Some(Errno::EPERM), _) => {
            error.hint("binding a namespace to a file needs root, or a mount namespace of your own")
        }
        (Some(Errno::EINVAL), Kind::Mount) => error.hint(
            "a mount namespace can only be kept on a private mount: mount --bind DIR DIR && mount --make-private DIR",
        ),
        (Some(Errno::ENOENT), Kind::Pid | Kind::Time) => {
            error.hint("the namespace has no process before the command forks; leave out --no-fork")
        }
        _ => error,
    }
}
