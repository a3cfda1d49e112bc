//! The steps done in the tree: mount points found or made, mounts attached, changes made, the rest hidden.

use super::spare;
use super::tree::Tree;
use crate::covers::Covers;
use crate::files::Files;
use crate::inside;
use crate::mounts::{self, Ready, Work};
use crate::plan::{Lookup, Masks, Mount, Source};
use chain::sys::mount::{RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{FileType, fstat};
use rustix::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

impl Tree {
    /// Does all of it, in the order given; then hides what is to be hidden. The umask must be 0.
    pub fn furnish(&mut self, work: &[Work], masks: &Masks) -> Result<()> {
        let (mut covers, mut files) = (Covers::default(), Files::default());
        let done = (0..work.len()).try_for_each(|at| match &work[at] {
            Work::Mount(ready) => self.mount(ready, &work[at..], masks, &mut covers),
            Work::File(mount, content) => {
                let tree = files.make(mount, content)?;
                self.mount(&Ready::new(mount.clone(), tree), &work[at..], masks, &mut covers)
            }
            Work::Edit(edit) => self.edit(edit),
        });
        done.and(files.vanish())?;
        masks.hidden.iter().try_for_each(|path| self.hide(path, &mut covers))?;
        masks.read_only.iter().try_for_each(|path| self.protect(path))?;
        // Closed with all other descriptors at once.
        std::mem::forget(covers);
        Ok(())
    }

    /// `ahead` begins with it.
    fn mount(&mut self, ready: &Ready, ahead: &[Work], masks: &Masks, covers: &mut Covers) -> Result<()> {
        let target = self.mount_point(ready, ahead)?;
        mounts::attach(&ready.tree, &target)
            .cannot_with(|| ready.mount.what())
            .map_err(|e| explain(e, ready))?;
        mounts::finish(ready, masks, covers)
    }

    /// The open mount point, made when it is missing.
    fn mount_point(&mut self, ready: &Ready, ahead: &[Work]) -> Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(io::Errno::NOENT) => self.make(ready, ahead)?,
            opened => return opened.cannot_with(|| ready.mount.what()).map_err(|e| explain(e, ready)),
        }
        inside::open(self.top.as_fd(), path, lookup)
            .cannot_with(|| make_what(&ready.mount))
            .map_err(|e| no_mount_point(e, ready))
    }

    /// In the root itself where that can be changed.
    fn make(&mut self, ready: &Ready, ahead: &[Work]) -> Result<()> {
        let (mount, kind) = (&ready.mount, ready.file_type()?);
        let made = inside::make(self.top.as_fd(), &mount.target, mount.lookup, kind, &mut self.undo.0);
        if made.is_err_and(spare::may_help) {
            let points: Vec<_> = ahead.iter().filter_map(Work::mount_point).collect();
            return spare::lay(self.top.as_fd(), &points).map(|top| self.replace(top));
        }
        made.cannot_with(|| make_what(mount)).map_err(|e| no_mount_point(e, ready))
    }

    /// Goes on with a layer that was laid over the whole.
    pub fn replace(&mut self, top: Option<OwnedFd>) {
        if let Some(top) = top {
            let beneath = std::mem::replace(&mut self.top, top);
            self.beneath.get_or_insert(beneath);
        }
    }

    /// A file that a root does not have need not be hidden in it.
    fn hide(&self, path: &Path, covers: &mut Covers) -> Result<()> {
        let name = show(path);
        let Some(file) = self.find(path).cannot_with(|| format!("hide {name}"))? else { return Ok(()) };
        let stat = fstat(&file).cannot_with(|| format!("hide {name}"))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => covers.hide_directory(file.as_fd(), "", &name),
            _ => covers.hide_file(file.as_fd(), "", &name),
        }
        .map(drop)
    }

    fn protect(&self, path: &Path) -> Result<()> {
        let what = || format!("make {} read-only", show(path));
        let Some(file) = self.find(path).cannot_with(what)? else { return Ok(()) };
        let copy = mounts::copy_all(&file, "").cannot_with(what)?;
        set_attributes(copy.as_fd(), RDONLY, true).cannot_with(what)?;
        mounts::attach(&copy, &file).cannot_with(what)
    }

    fn find(&self, path: &Path) -> io::Result<Option<OwnedFd>> {
        match inside::open(self.top.as_fd(), path, Lookup::Followed) {
            Err(io::Errno::NOENT | io::Errno::NOTDIR) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

fn make_what(mount: &Mount) -> String {
    format!("make the mount point {}", show(mount.place()))
}

fn no_mount_point(e: Error, ready: &Ready) -> Error {
    match ready.mount.lookup {
        Lookup::Plain => e.hint("make that directory in the root, or do without such mounts with --bare"),
        Lookup::Followed => e.hint("make it in the root first"),
    }
}

fn explain(e: Error, ready: &Ready) -> Error {
    match (ready.mount.lookup, e.errno()) {
        (Lookup::Plain, Some(Errno::ELOOP | Errno::ENOTDIR)) => {
            let place = ready.mount.place();
            Error::new(
                ready.mount.what(),
                format_args!("{} is not a real directory in this root", show(&place)),
            )
            .hint("replace it by a directory, or do without such mounts with --bare")
        }
        (_, Some(Errno::EINVAL | Errno::ENOTDIR)) => match ready.mount.source {
            Source::Bind { .. } | Source::Descriptor(_) => {
                Error::new(ready.mount.what(), "one is a directory and the other is not")
            }
            Source::Text(_) | Source::Content(_) => Error::new(ready.mount.what(), "it is a directory"),
            _ => Error::new(ready.mount.what(), "it is not a directory"),
        },
        _ => e,
    }
}
