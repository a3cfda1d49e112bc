//! Whether a directory has an owner, and how it is taken over when it has none.

use crate::group::controllers::is_leaf;
use crate::group::mark::{self, Mark};
use crate::group::{Directory, lock};
use crate::hierarchy::Version;
use crate::hierarchy::patience::Patience;
use crate::hierarchy::place::{DIRECTORY, is_transient};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a lock without a living owner is waited for.
const LAST_MOMENTS: Duration = Duration::from_millis(100);

impl Directory {
    /// Takes over an open directory when nobody owns it, to remove it. With a name, the lock becomes a shared one
    /// then, which tells those who want the name to wait, and the directory of groups must be locked by the caller.
    pub fn adopt(version: Version, path: PathBuf, fd: OwnedFd) -> Option<Self> {
        let directory = Directory::of(version, path, fd);
        directory.is_orphan().then_some(directory)
    }

    /// The same, with a closer look at who holds the lock.
    pub fn adopt_closely(version: Version, path: PathBuf, fd: OwnedFd) -> Option<Self> {
        let directory = Directory::of(version, path, fd);
        let is_ours = directory.is_orphan() || directory.is_held_from_within() || directory.is_let_go();
        (is_ours && !directory.stays()).then_some(directory)
    }

    /// The child of a killed owner has the lock too until it starts the command, and dies a moment after the owner.
    fn is_let_go(&self) -> bool {
        let patience = &mut Patience::of(LAST_MOMENTS);
        let is_alive = |pid: &i32| std::fs::exists(format!("/proc/{pid}")).unwrap_or(true);
        while !lock::holders(&self.fd).iter().any(is_alive) {
            if self.is_orphan() {
                return true;
            }
            if !patience.pause() {
                break;
            }
        }
        false
    }

    fn is_orphan(&self) -> bool {
        if self.has_shared_base() {
            self.is_takeable() && !self.stays()
        } else {
            lock::take(&self.fd) && lock::take_part(&self.fd) && !self.stays()
        }
    }

    /// A group without a name never does, whatever a program in it has made of its mark.
    pub(super) fn stays(&self) -> bool {
        let is_named = !self.path.file_name().is_some_and(is_transient);
        is_named
            && match mark::get(&self.fd) {
                Some(Mark::Stays) => true,
                Some(Mark::Lasts) => self.is_populated(),
                Some(Mark::Goes) | None => false,
            }
    }

    /// It stands in a directory that others can lock as well.
    pub(super) fn has_shared_base(&self) -> bool {
        let holder = self.path.parent().and_then(Path::file_name);
        self.path.file_name().is_some_and(is_transient) || holder.is_none_or(|holder| holder != DIRECTORY)
    }

    /// Nobody else has it, and its path leads to it.
    pub(super) fn is_takeable(&self) -> bool {
        lock::take(&self.fd) && lock::is_at(&self.fd, rustix::fs::CWD, &self.path)
    }

    /// A program in the group can lock its directory too, to pass for an owner after the owner has been killed.
    /// No cgctl is ever in the group that it owns, but for a [leaf](crate::group::controllers::Leaf), where it is alone.
    fn is_held_from_within(&self) -> bool {
        if self.path.file_name().is_some_and(is_leaf) {
            return false;
        }
        let holders = lock::holders(&self.fd);
        let within = self.processes();
        !holders.is_empty() && holders.iter().all(|holder| within.contains(holder))
    }
}
