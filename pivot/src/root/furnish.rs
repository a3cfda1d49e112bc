//! The steps done in the tree: mount points found or made, mounts attached, changes made, the rest hidden.

use super::{Line, Spot, Tree};
use crate::inside;
use crate::mount::covers::Covers;
use crate::mount::files::Files;
use crate::mount::{self, Ready, Work};
use crate::plan::{Lookup, Masks, Source};
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
        let done = (0..work.len()).try_for_each(|at| {
            match (&work[at], Line { done: &work[..at], ahead: &work[at..] }) {
                (Work::Mount(ready), line) => self.mount(ready, line, masks, &mut covers),
                (Work::File(mount, content), line) => {
                    let tree = files.make(mount, content)?;
                    self.mount(&Ready::new(mount.clone(), tree), line, masks, &mut covers)
                }
                (Work::Edit(edit), line) => self.edit(edit, line),
            }
        });
        done.and(files.vanish())?;
        masks.hidden.iter().try_for_each(|path| self.hide(path, &mut covers))?;
        // Closed with all other descriptors at once.
        std::mem::forget(covers);
        masks.read_only.iter().try_for_each(|path| self.protect(path))
    }

    fn mount(&mut self, ready: &Ready, line: Line<'_>, masks: &Masks, covers: &mut Covers) -> Result<()> {
        let target = self.mount_point(ready, line)?;
        mount::attach(&ready.tree, &target)
            .cannot_with(|| ready.mount.what())
            .map_err(|e| explain_mismatch(e, ready))?;
        mount::finish(ready, masks, covers)
    }

    /// The open mount point, made when it is missing.
    fn mount_point(&mut self, ready: &Ready, line: Line<'_>) -> Result<OwnedFd> {
        let (path, lookup) = (&ready.mount.target, ready.mount.lookup);
        match inside::open(self.top.as_fd(), path, lookup) {
            Err(io::Errno::NOENT) => {}
            opened => return opened.cannot_with(|| ready.mount.what()).map_err(|e| explain_path(e, ready)),
        }
        let kind = ready.file_type()?;
        let make = |spot: Spot<'_>, made: &mut _| inside::make(spot.root, path, lookup, kind, made);
        self.change(path, line, make)
            .and_then(|()| self.open_again(path, lookup).map_err(|errno| (errno, None)))
            .map_err(|refusal| no_mount_point(refusal, ready))
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
        let copy = mount::copy_all(&file, "").cannot_with(what)?;
        set_attributes(copy.as_fd(), RDONLY, true).cannot_with(what)?;
        mount::attach(&copy, &file).cannot_with(what)
    }

    fn find(&self, path: &Path) -> io::Result<Option<OwnedFd>> {
        match inside::open(self.top.as_fd(), path, Lookup::Followed) {
            Err(io::Errno::NOENT | io::Errno::NOTDIR) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

fn no_mount_point((errno, why): (io::Errno, Option<String>), ready: &Ready) -> Error {
    let error = Error::os(
        format_args!("make the mount point {}", show(ready.mount.place())),
        Errno::from_raw(errno.raw_os_error()),
    );
    match (ready.mount.lookup, why) {
        _ if error.errno() == Some(Errno::ENOSPC) => {
            error.hint("the file system, or its number of files, is full")
        }
        (_, Some(why)) => error.hint(format_args!("make it in the root first; {why}")),
        (Lookup::Plain, None) => {
            error.hint("make that directory in the root, or do without such mounts with --bare")
        }
        (Lookup::Followed, None) => error.hint("make it in the root first"),
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
