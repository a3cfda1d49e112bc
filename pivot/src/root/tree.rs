//! The mounts inside the new root.

use super::{spare, switch};
use crate::inside::{self, Undo};
use crate::mounts::{self, Ready};
use crate::plan::{Lookup, Source};
use crate::proc::Covers;
use chain::sys::mount::{RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::Mode;
use rustix::io;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{fchdir, umask};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// The new root, mounted where it is out of the way.
#[derive(Debug)]
pub struct Tree {
    top: OwnedFd,
    /// What it was before a spare layer was laid over it.
    beneath: Option<OwnedFd>,
    undo: Undo,
    sealed: bool,
}

impl Tree {
    /// `top` is mounted. `undo` is what was made for that; `sealed` says that it becomes read-only when everything is
    /// mounted in it.
    pub fn new(top: OwnedFd, undo: Undo, sealed: bool) -> Self {
        Tree { top, beneath: None, undo, sealed }
    }

    /// Mounts everything in it and makes it the root. Gives the working directory, `directory` or `/`. What had
    /// been made before an error is removed again.
    pub fn furnish_and_enter(mut self, mounts: Vec<Ready>, directory: Option<&Path>) -> Result<PathBuf> {
        let entered = self.furnish(&mounts).and_then(|()| switch::enter(&self.top, directory));
        match entered {
            Ok(_) => self.keep(mounts),
            Err(_) => self.take_down(),
        }
        entered
    }

    fn furnish(&mut self, mounts: &[Ready]) -> Result<()> {
        if !mounts.is_empty() {
            let mask = umask(Mode::empty());
            let mounted = self.mount_all(mounts);
            umask(mask);
            mounted?;
        }
        if self.sealed {
            set_attributes(self.top.as_fd(), RDONLY, false).cannot("make the root read-only")?;
        }
        Ok(())
    }

    fn mount_all(&mut self, mounts: &[Ready]) -> Result<()> {
        let mut covers = Covers::default();
        for (at, ready) in mounts.iter().enumerate() {
            let target = self.mount_point(&mounts[at..])?;
            mounts::attach(&ready.tree, &target)
                .cannot_with(|| ready.what())
                .map_err(|e| explain(e, ready))?;
            mounts::finish(ready, &mut covers)?;
        }
        // Closed with all other descriptors at once.
        std::mem::forget(covers);
        Ok(())
    }

    /// The open mount point of the first of `ahead`, made when it is missing.
    fn mount_point(&mut self, ahead: &[Ready]) -> Result<OwnedFd> {
        let ready = &ahead[0];
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(io::Errno::NOENT) => self.make(ahead)?,
            opened => return opened.cannot_with(|| ready.what()).map_err(|e| explain(e, ready)),
        }
        inside::open(self.top.as_fd(), path, lookup)
            .cannot_with(|| format!("make the mount point {}", show(ready.mount.place())))
            .map_err(|e| no_mount_point(e, ready))
    }

    /// In the root itself where that can be changed.
    fn make(&mut self, ahead: &[Ready]) -> Result<()> {
        let Ready { mount, .. } = &ahead[0];
        let kind = ahead[0].file_type()?;
        let made = inside::make(self.top.as_fd(), &mount.target, mount.lookup, kind, &mut self.undo.0);
        if made.is_err_and(spare::may_help) {
            if let Some(top) = spare::lay(self.top.as_fd(), ahead)? {
                let beneath = std::mem::replace(&mut self.top, top);
                self.beneath.get_or_insert(beneath);
            }
            return Ok(());
        }
        made.cannot_with(|| format!("make the mount point {}", show(mount.place())))
            .map_err(|e| no_mount_point(e, &ahead[0]))
    }

    /// The command's from now on.
    fn keep(self, mounts: Vec<Ready>) {
        self.undo.keep();
        // Closed with all other descriptors at once.
        std::mem::forget((self.top, self.beneath));
        mounts.into_iter().for_each(Ready::keep);
    }

    /// A mount point cannot be removed while something is mounted on it. The old root may be stacked on this one.
    fn take_down(self) {
        let lowest = self.beneath.as_ref().unwrap_or(&self.top);
        if fchdir(lowest).is_ok() {
            while unmount(".", UnmountFlags::DETACH).is_ok() {}
        }
    }
}

fn no_mount_point(e: Error, ready: &Ready) -> Error {
    match ready.mount.source {
        Source::Dev | Source::Proc | Source::Sys => {
            e.hint("make that directory in the root, or do without such mounts with --bare")
        }
        _ => e.hint("make it in the root first"),
    }
}

fn explain(e: Error, ready: &Ready) -> Error {
    match (ready.mount.lookup, e.errno()) {
        (Lookup::Plain, Some(Errno::ELOOP | Errno::ENOTDIR)) => {
            let place = ready.mount.place();
            Error::new(ready.what(), format_args!("{} is not a real directory in this root", show(&place)))
                .hint("replace it by a directory, or do without such mounts with --bare")
        }
        (_, Some(Errno::EINVAL | Errno::ENOTDIR)) => {
            Error::new(ready.what(), "one is a directory and the other is not")
        }
        _ => e,
    }
}
