//! The new root while it is made: what is mounted, and what has to be undone.

use super::switch::{self, Start};
use crate::inside::Undo;
use crate::mounts::Work;
use crate::plan::Masks;
use chain::shelter::OwnMount;
use chain::sys::mount::{RDONLY, set_attributes};
use chain::{Cannot, Result};
use rustix::fs::Mode;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{fchdir, umask};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The new root, mounted where it is out of the way.
#[derive(Debug)]
pub struct Tree {
    /// It.
    pub top: OwnedFd,
    /// What it was before a spare layer was laid over it.
    pub beneath: Option<OwnedFd>,
    /// What was changed in it.
    pub undo: Undo,
    /// It becomes read-only when everything is in place.
    pub sealed: bool,
    /// So do these, which are mounted in it.
    pub to_seal: Vec<OwnedFd>,
    /// The mount of this program's file, which is left behind.
    pub program: Option<OwnMount>,
    /// Its propagation type, when not private.
    pub propagation: Option<u64>,
}

impl Tree {
    /// `top` is mounted. `undo` is what was made for that.
    pub fn new(top: OwnedFd, undo: Undo, sealed: bool) -> Self {
        Tree { top, beneath: None, undo, sealed, to_seal: Vec::new(), program: None, propagation: None }
    }

    /// Does all the work in it, has `look` look around and makes it the root. Gives where the command starts,
    /// `directory` or `/`, and what `look` has found. What had been made before an error is undone again.
    pub fn furnish_and_enter<T>(
        mut self,
        work: Vec<Work>,
        masks: &Masks,
        directory: Option<&Path>,
        look: impl FnOnce(BorrowedFd<'_>) -> Result<T>,
    ) -> Result<(Start, T)> {
        let found = self.furnish_all(&work, masks).and_then(|()| look(self.top.as_fd()));
        let entered = found.and_then(|found| Ok((switch::enter(&self, directory)?, found)));
        match entered {
            Ok(_) => self.keep(work),
            Err(_) => self.take_down(),
        }
        entered
    }

    fn furnish_all(&mut self, work: &[Work], masks: &Masks) -> Result<()> {
        let mask = umask(Mode::empty());
        let furnished = self.furnish(work, masks);
        umask(mask);
        furnished?;
        let top = self.sealed.then_some(&self.top);
        top.into_iter()
            .chain(&self.to_seal)
            .try_for_each(|mount| set_attributes(mount.as_fd(), RDONLY, false))
            .cannot("make the root read-only")
    }

    /// The command's from now on.
    fn keep(self, work: Vec<Work>) {
        self.undo.keep();
        // Closed with all other descriptors at once.
        std::mem::forget((self.top, self.beneath, self.to_seal));
        work.into_iter().for_each(Work::keep);
    }

    /// A mount point cannot be removed while something is mounted on it.
    fn take_down(self) {
        let lowest = self.beneath.as_ref().unwrap_or(&self.top);
        let _ = fchdir(lowest).and_then(|()| unmount(".", UnmountFlags::DETACH));
    }
}
