//! Mount points in a root that cannot be changed: a spare layer in memory is laid over it, which has them.

use crate::inside;
use crate::layers::{Layout, Memory, Refusal, attributes, mount, resemble};
use crate::mounts::{attach, copy_all};
use crate::plan::{Lookup, Mount};
use crate::table::{kind_of, mount_of, mounted_on, path_from};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno as Number;
use rustix::fs::{FileType, Mode, OFlags, mkdirat, mknodat, openat};
use rustix::io::{self, Errno};
use rustix::mount::MountAttrFlags;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Whether the reason for which a mount point could not be made lies in the root: it is read-only, or its owner or an
/// attribute keeps others from writing.
pub fn may_help(errno: Errno) -> bool {
    [Errno::ROFS, Errno::ACCESS, Errno::PERM, Errno::OVERFLOW].contains(&errno)
}

/// The mount in which something is missing.
struct Site {
    /// Its root.
    root: OwnedFd,
    /// Its path inside the new root.
    path: PathBuf,
    mount: u64,
    is_top: bool,
}

/// Lays a layer over the mount in which the mount point of the first of `ahead` is missing, and mounts over it again
/// what is mounted there. The layer has what is missing for all of `ahead`. The result is read-only, as the mount is
/// or has to be. If that was the mount of `top` itself, it is given back: it takes the place of `top`.
///
/// It is only asked for when a mount point is missing, since it costs as much as some ten mounts.
pub fn lay(top: BorrowedFd<'_>, ahead: &[(&Mount, FileType)]) -> Result<Option<OwnedFd>> {
    let Some(first) = ahead.first() else { return Ok(None) };
    let what = || format!("make the mount point {} in a layer of its own", show(first.0.place()));
    let site = Site::find(top, &first.0.target, first.0.lookup).cannot_with(what)?;
    let memory = Memory::make(None, Some(site.root.as_fd())).cannot_with(what)?;
    make_missing(top, &site, memory.upper().dir, first).cannot_with(what)?;
    for point in &ahead[1..] {
        // What is wrong with it will be told when its turn comes.
        let _ = make_missing(top, &site, memory.upper().dir, point);
    }
    let layer = site.cover(&memory, true, what)?;
    Ok(site.is_top.then_some(layer))
}

/// Lays a layer that can be changed over the mount that `path` lies in. The caller makes it read-only in the end.
/// Whether it takes the place of `top` comes with it.
pub fn lay_open(top: BorrowedFd<'_>, path: &Path, what: impl Fn() -> String) -> Result<(OwnedFd, bool)> {
    let site = Site::find(top, path, Lookup::Followed).cannot_with(&what)?;
    let memory = Memory::make(None, Some(site.root.as_fd())).cannot_with(&what)?;
    let layer = site.cover(&memory, false, what)?;
    Ok((layer, site.is_top))
}

impl Site {
    fn find(top: BorrowedFd<'_>, path: &Path, lookup: Lookup) -> io::Result<Self> {
        let path = inside::follow(top, path, lookup)?;
        let there = existing(top, &path)?;
        let mount = mount_of(there.last().map_or(top, AsFd::as_fd), "")?;
        if mount == mount_of(top, "")? {
            let root = top.try_clone_to_owned().map_err(|_| Errno::MFILE)?;
            return Ok(Site { root, path: PathBuf::new(), mount, is_top: true });
        }
        let path = path_from(top, mount)?;
        let root = inside::open(top, &path, Lookup::Followed)?;
        Ok(Site { root, path, mount, is_top: false })
    }

    /// Mounts it with the layer over itself: under the layer's directory when that is read-only.
    fn cover(&self, memory: &Memory, read_only: bool, what: impl Fn() -> String) -> Result<OwnedFd> {
        let (root, upper) = (self.root.as_fd(), memory.upper());
        let mut attributes = attributes([root]).cannot_with(&what)?;
        let (lower, upper) = if read_only {
            attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY;
            (vec![root, upper.dir], None)
        } else {
            (vec![root], Some(upper))
        };
        let trusted = memory.upper().is_trusted();
        let layout = Layout { lower, upper, attributes, trusted, memory: Some(memory) };
        let layer = mount(&layout).map_err(|refusal| explain(&refusal, root, what()))?;
        attach(&layer, root).and_then(|()| carry_over(root, layer.as_fd())).cannot_with(what)?;
        Ok(layer)
    }
}

fn explain(refusal: &Refusal, root: BorrowedFd<'_>, what: String) -> Error {
    let error = match (refusal.errno, kind_of(root)) {
        (Errno::INVAL, Some(kind)) => {
            Error::new(what, format_args!("the root is on {}, which cannot be a layer", show(kind)))
        }
        (errno, _) => Error::os(what, Number::from_raw(errno.raw_os_error())),
    };
    error.hint("make it in the root first")
}

/// Makes what the path lacks of the mount in `layer`, and there also what it has, with mode and owner: directories are
/// merged.
fn make_missing(
    top: BorrowedFd<'_>,
    site: &Site,
    layer: BorrowedFd<'_>,
    (mount, kind): &(&Mount, FileType),
) -> io::Result<()> {
    let path = inside::follow(top, &mount.target, mount.lookup)?;
    let there = existing(top, &path)?;
    let all = path.iter().count();
    if there.len() == all || mount_of(there.last().map_or(top, AsFd::as_fd), "")? != site.mount {
        return Ok(());
    }
    let mut parent = open(layer, Path::new("."))?;
    for (at, name) in path.iter().enumerate().skip(site.path.iter().count()) {
        if *kind != FileType::Directory && at + 1 == all {
            exists(mknodat(&parent, name, FileType::RegularFile, Mode::from(0o644), 0))?;
            break;
        }
        exists(mkdirat(&parent, name, Mode::from(0o755)))?;
        if let Some(like) = there.get(at) {
            resemble(parent.as_fd(), name, like.as_fd())?;
        }
        parent = open(parent.as_fd(), Path::new(name))?;
    }
    Ok(())
}

/// Each directory on the way, as far as they are there.
fn existing(root: BorrowedFd<'_>, path: &Path) -> io::Result<Vec<OwnedFd>> {
    let mut found = Vec::new();
    let mut way = PathBuf::new();
    for name in path {
        way.push(name);
        match inside::open(root, &way, Lookup::Followed) {
            Err(Errno::NOENT) => break,
            opened => found.push(opened?),
        }
    }
    Ok(found)
}

fn open(dir: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    openat(dir, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Another mount of this run may have needed it too.
fn exists(made: io::Result<()>) -> io::Result<()> {
    if made == Err(Errno::EXIST) { Ok(()) } else { made }
}

/// An overlay shows one file system: what is mounted on it has to be mounted again. Copies are made, because a user
/// namespace may not move what it was given.
fn carry_over(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> io::Result<()> {
    for path in mounted_on(from)? {
        match inside::open(from, &path, Lookup::Followed) {
            // Its mount point was deleted: nobody can get there.
            Err(Errno::NOENT) => {}
            shown => attach(copy_all(shown?, "")?, inside::open(to, &path, Lookup::Followed)?)?,
        }
    }
    Ok(())
}
