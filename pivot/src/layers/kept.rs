//! An upper directory of the user's, which keeps the changes, and its work directory.

use super::Layer;
use super::overlay::Upper;
use super::place::{Place, Role};
use super::relation::Line;
use crate::inside::{Made, Undo};
use chain::text::show;
use chain::{Cannot, Result};
use rustix::fs::{Access, AtFlags, FlockOperation, accessat, flock};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

/// Both directories; one that is missing will be made.
#[derive(Debug)]
pub struct Kept {
    upper: Place,
    work: Place,
    /// The work directory is no other upper directory's, unless the user named it.
    is_usual: bool,
}

impl Kept {
    /// Finds both and refuses what cannot go together, with each other and with the layers. Changes nothing.
    pub fn open(upper: PathBuf, work: Option<PathBuf>, lower: &[Layer]) -> Result<Self> {
        let upper = Place::find(upper, Role::Upper)?;
        let is_usual = work.is_none();
        let work = match work {
            Some(work) => Place::find(work, Role::Work)?,
            None => upper.beside()?,
        };
        let kept = Kept { upper, work, is_usual };
        kept.check(lower)?;
        Ok(kept)
    }

    fn check(&self, lower: &[Layer]) -> Result<()> {
        let (upper, work) = (self.upper.line()?, self.work.line()?);
        self.check_both(&upper, &work)?;
        for layer in lower {
            let name = show(&layer.path);
            let line = Line::of(layer.dir.as_fd()).cannot_with(|| format!("use {name} as a layer"))?;
            for (place, other) in [(&self.upper, &upper), (&self.work, &work)] {
                match () {
                    () if line.is(other) => return Err(place.refused(format_args!("it is the layer {name}"))),
                    () if line.is_in(other) => {
                        return Err(place.refused(format_args!("the layer {name} lies in it")));
                    }
                    () => {}
                }
            }
        }
        self.work.check_content()
    }

    fn check_both(&self, upper: &Line, work: &Line) -> Result<()> {
        let name = show(&self.upper.path);
        let refused = |why: String| Err(self.work.refused(why));
        if upper.is(work) || self.upper.is_named_like(&self.work)? {
            return refused(format!("{name} is the upper directory already"));
        }
        if work.is_in(upper) {
            return refused(format!("it lies in the upper directory {name}"));
        }
        if upper.is_in(work) {
            return refused(format!("the upper directory {name} lies in it"));
        }
        if self.upper.mount()? != self.work.mount()? {
            let error = self.work.refused(format_args!("it is not on the same mount as {name}"));
            return Err(error.hint(
                "both must lie below one mount point; of a mount point itself, use a directory inside it",
            ));
        }
        Ok(())
    }

    /// Makes what is missing. From here on, until this is dropped, no other run makes an overlay of them.
    pub fn make(&mut self, like: Option<BorrowedFd<'_>>, undo: &mut Undo) -> Result<()> {
        let used = (self.upper.dir.is_some(), self.work.dir.is_some() && !self.is_usual);
        self.upper.make(like, undo)?;
        self.work.make(None, undo)?;
        let Some(Upper { work, .. }) = self.upper() else { return Ok(()) };
        let what = || self.work.what();
        flock(work, FlockOperation::LockExclusive).cannot_with(what)?;
        self.upper.check_use(used.0)?;
        self.work.check_use(used.1)?;
        // What the kernel makes in there stays otherwise.
        if accessat(work, "work", Access::EXISTS, AtFlags::empty()) == Err(Errno::NOENT) {
            undo.0.push(Made::directory(work.try_clone_to_owned().cannot_with(what)?, "work".into()));
        }
        Ok(())
    }

    /// The two, open, once they were made.
    pub fn upper(&self) -> Option<Upper<'_>> {
        Some(Upper { dir: self.upper.dir.as_ref()?.as_fd(), work: self.work.dir.as_ref()?.as_fd() })
    }

    /// The upper directory as the user named it.
    pub fn path(&self) -> &Path {
        &self.upper.path
    }
}
