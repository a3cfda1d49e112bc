//! The new root, mounted where it is out of the way.

use super::spare;
use super::switch::{self, Start};
use super::turn::Turn;
use crate::inside::{Made, Undo};
use crate::mount::Work;
use crate::plan::Masks;
use chain::error::say;
use chain::shelter::OwnMount;
use chain::sys::mount::{RDONLY, set_attributes};
use chain::{Cannot, Result};
use rustix::fs::Mode;
use rustix::io;
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{fchdir, umask};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// The new root. What had been made for it is removed again, unless it is entered.
#[derive(Debug)]
pub struct Tree {
    /// What is seen of it.
    pub top: OwnedFd,
    /// What was changed in it, and made for it.
    pub undo: Undo,
    /// Mounts of it that can be changed until everything is done, and then cannot.
    spares: Vec<OwnedFd>,
    /// What is to be said of them.
    warnings: Vec<String>,
    beneath: Option<OwnedFd>,
    place: OwnedFd,
    /// Its propagation type, when not private.
    pub propagation: Option<u64>,
    /// The mount of this program's file, which is left behind.
    pub program: Option<OwnMount>,
    sealed: bool,
    /// How much of `undo` is nobody else's, whoever uses the root.
    own: usize,
    turn: Turn,
}

/// All work, and how much of it is done.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// What is done.
    pub done: &'a [Work],
    /// What is not.
    pub ahead: &'a [Work],
}

/// Where a change is made.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// What the paths of the change begin at.
    pub root: BorrowedFd<'a>,
    /// What is seen of the new root then.
    pub top: BorrowedFd<'a>,
}

impl Tree {
    /// `top` is mounted over `place`. `undo` is what was made for that. It will have this propagation type of
    /// [`chain::sys::mount`] when it is not to be private, and is `sealed`, read-only, when everything is done.
    pub fn new(top: OwnedFd, place: OwnedFd, undo: Undo, propagation: Option<u64>, sealed: bool) -> Self {
        let (own, turn) = (undo.0.len(), Turn::share(top.as_fd()));
        Tree {
            top,
            undo,
            spares: Vec::new(),
            warnings: Vec::new(),
            beneath: None,
            place,
            propagation,
            program: None,
            sealed,
            own,
            turn,
        }
    }

    /// Does all the work in it, has `look` look around and makes it the root. Gives where the command starts,
    /// `directory` or `/`, and what `look` has found.
    pub fn furnish_and_enter<T>(
        mut self,
        work: Vec<Work>,
        masks: &Masks,
        directory: Option<&Path>,
        look: impl FnOnce(BorrowedFd<'_>) -> Result<T>,
    ) -> Result<(Start, T)> {
        let entered = self
            .furnish_unmasked(&work, masks)
            .and_then(|()| self.seal())
            .and_then(|()| look(self.top.as_fd()))
            .and_then(|found| Ok((switch::enter(&mut self, directory)?, found)));
        match entered {
            Ok(_) => self.keep(work),
            Err(_) => self.take_down(),
        }
        entered
    }

    fn furnish_unmasked(&mut self, work: &[Work], masks: &Masks) -> Result<()> {
        if work.is_empty() && masks.hidden.is_empty() && masks.read_only.is_empty() {
            return Ok(());
        }
        let mask = umask(Mode::empty());
        let done = self.furnish(work, masks);
        umask(mask);
        done
    }

    fn seal(&self) -> Result<()> {
        let top = self.sealed.then_some(&self.top);
        self.spares.iter().chain(top).try_for_each(|mount| {
            set_attributes(mount.as_fd(), RDONLY, false).cannot("make the root read-only")
        })
    }

    /// Makes a change at a path of the tree, for the first piece of work that `line` has ahead. Where the tree cannot be
    /// changed, it is made in a spare layer that is laid over it. Where the tree shows owners that are not ours, it is
    /// made in the directory beneath, which is the same.
    pub fn change<T>(
        &mut self,
        path: &Path,
        line: Line<'_>,
        change: impl Fn(Spot<'_>, &mut Vec<Made>) -> io::Result<T>,
    ) -> Result<T, (io::Errno, Option<String>)> {
        self.turn.take();
        let (top, made) = (self.top.as_fd(), &mut self.undo.0);
        match change(Spot { root: top, top }, made) {
            Err(io::Errno::OVERFLOW) => {
                change(Spot { root: self.place.as_fd(), top }, made).map_err(|errno| (errno, None))
            }
            Err(errno) if spare::may_help(errno) => {
                self.lay_spare(path, line, errno).map_err(|why| (errno, why))?;
                let top = self.top.as_fd();
                change(Spot { root: top, top }, &mut self.undo.0).map_err(|errno| (errno, None))
            }
            changed => changed.map_err(|errno| (errno, None)),
        }
    }

    fn lay_spare(&mut self, path: &Path, line: Line<'_>, errno: io::Errno) -> Result<(), Option<String>> {
        let spare = spare::lay(self.top.as_fd(), path, line)?;
        if let (Some(work), true) = (line.ahead.first(), errno != io::Errno::ROFS) {
            self.warnings.push(spare.warning(&work.what(), errno));
        }
        let layer = match spare.is_top {
            true => {
                let layer = spare.layer.try_clone().map_err(|_| None)?;
                let beneath = std::mem::replace(&mut self.top, layer);
                self.beneath.get_or_insert(beneath);
                spare.layer
            }
            false => spare.layer,
        };
        self.spares.push(layer);
        Ok(())
    }

    /// The command's from now on. The descriptors are closed with all others at once.
    fn keep(self, work: Vec<Work>) {
        for warning in &self.warnings {
            say(warning);
            say("hint: make what is missing in it first, as its owner; with --ro no warning is given");
        }
        self.undo.keep();
        std::mem::forget((self.top, self.spares, self.beneath, self.place, self.turn));
        work.into_iter().for_each(Work::keep);
    }

    /// A mount point cannot be removed while something is mounted on it. The old root may be stacked on this one.
    fn take_down(mut self) {
        if !self.turn.is_alone() {
            self.undo.0.truncate(self.own);
        }
        let lowest = self.beneath.as_ref().unwrap_or(&self.top);
        if fchdir(lowest).is_ok() {
            while unmount(".", UnmountFlags::DETACH).is_ok() {}
        }
    }
}
