//! The steps done in the tree: mount points found or made, mounts attached, changes made, the rest hidden.

use crate::covers::Covers;
use crate::files::Files;
use crate::inside::{self, Made};
use crate::mounts::{self, Ready, Work};
use crate::plan::{Lookup, Masks, Source};
use crate::root::Tree;
use chain::sys::mount::{RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{FileType, fstat};
use rustix::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

impl Tree {
    /// Does all of it, in the order given; then hides what is to be hidden. The umask must be 0.
    pub fn furnish(&mut self, work: &[Work], masks: &Masks) -> Result<()> {
        let (mut covers, mut files) = (Covers::default(), Files::default());
        let done = work.iter().try_for_each(|work| match work {
            Work::Mount(ready) => self.mount(ready, masks, &mut covers),
            Work::File(mount, content) => {
                let tree = files.make(mount, content)?;
                self.mount(&Ready { mount: mount.clone(), tree }, masks, &mut covers)
            }
            Work::Edit(edit) => self.edit(edit),
        });
        done.and(files.vanish())?;
        masks.hidden.iter().try_for_each(|path| self.hide(path, &mut covers))?;
        masks.read_only.iter().try_for_each(|path| self.protect(path))
    }

    fn mount(&mut self, ready: &Ready, masks: &Masks, covers: &mut Covers) -> Result<()> {
        let target = self.mount_point(ready)?;
        mounts::attach(&ready.tree, &target)
            .cannot_with(|| ready.mount.what())
            .map_err(|e| explain_mismatch(e, ready))?;
        mounts::finish(ready, masks, covers)
    }

    /// The open mount point, made when it is missing.
    fn mount_point(&mut self, ready: &Ready) -> Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(io::Errno::NOENT) => self
                .make(ready)
                .cannot_with(|| format!("make the mount point {}", show(ready.mount.place())))
                .map_err(|e| no_mount_point(e, ready)),
            opened => opened.cannot_with(|| ready.mount.what()).map_err(|e| explain_path(e, ready)),
        }
    }

    fn make(&mut self, ready: &Ready) -> io::Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        let kind = ready.file_type().map_err(|_| io::Errno::IO)?;
        self.in_either(|root, made| inside::make(root, path, lookup, kind, made))?;
        self.open_again(path, lookup)
    }

    /// Does it in the tree; where that is read-only for the command, or shows owners that are not ours, in the
    /// directory beneath: it is the same.
    pub fn in_either<T>(
        &mut self,
        work: impl Fn(BorrowedFd<'_>, &mut Vec<Made>) -> io::Result<T>,
    ) -> io::Result<T> {
        self.turn.take();
        match work(self.top.as_fd(), &mut self.made) {
            Err(io::Errno::ROFS | io::Errno::OVERFLOW) => work(self.place.as_fd(), &mut self.made),
            done => done,
        }
    }

    /// Opens what was made. If it was made beneath something that is mounted in the tree, that is read-only.
    pub fn open_again(&self, path: &Path, lookup: Lookup) -> io::Result<OwnedFd> {
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(io::Errno::NOENT) => Err(io::Errno::ROFS),
            opened => opened,
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

fn no_mount_point(e: Error, ready: &Ready) -> Error {
    match ready.mount.lookup {
        Lookup::Plain => e.hint("make that directory in the root, or do without such mounts with --bare"),
        Lookup::Followed => e.hint("make it in the root first"),
    }
}

fn explain_path(e: Error, ready: &Ready) -> Error {
    match (ready.mount.lookup, e.errno()) {
        (Lookup::Plain, Some(Errno::ELOOP | Errno::ENOTDIR)) => Error::new(
            ready.mount.what(),
            format_args!("{} is not a real directory in this root", show(ready.mount.place())),
        )
        .hint("replace it by a directory, or do without such mounts with --bare"),
        _ => e,
    }
}

fn explain_mismatch(e: Error, ready: &Ready) -> Error {
    let why = match (e.errno(), &ready.mount.source) {
        (Some(Errno::EINVAL | Errno::ENOTDIR), Source::Bind { .. } | Source::Descriptor(_)) => {
            "one is a directory and the other is not"
        }
        (Some(Errno::EINVAL | Errno::ENOTDIR), Source::Text(_) | Source::Content(_)) => "it is a directory",
        (Some(Errno::EINVAL | Errno::ENOTDIR), _) => "it is not a directory",
        _ => return e,
    };
    Error::new(ready.mount.what(), why)
}
