//! Changes of a root that cannot be changed: a spare layer in memory, laid over it, takes them.

use super::Line;
use crate::inside;
use crate::layers::{Layout, Memory, Refusal, attributes, mount, resemble};
use crate::mount::{MountPoint, Work, attach, copy_all};
use crate::plan::Lookup;
use crate::table::{kind_of, mount_of, mounted_on, path_from};
use chain::text::show;
use nix::errno::Errno as Number;
use rustix::fs::{FileType, Mode, OFlags, mkdirat, mknodat, openat};
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Whether the reason for which a change failed lies in the root: it is read-only, or its owner or an attribute keeps
/// others from writing.
pub fn may_help(errno: Errno) -> bool {
    [Errno::ROFS, Errno::ACCESS, Errno::PERM].contains(&errno)
}

/// A layer that can be changed.
pub struct Spare {
    /// Its root.
    pub layer: OwnedFd,
    /// It lies over the root of all.
    pub is_top: bool,
    /// Where it lies.
    path: PathBuf,
}

impl Spare {
    /// That what its owner could write to cannot be written to now, and `what` could not be done otherwise.
    pub fn warning(&self, what: &str, errno: Errno) -> String {
        let place = if self.is_top { "the root".to_owned() } else { show(Path::new("/").join(&self.path)) };
        let why = desc(errno);
        format!("warning: {place} is read-only now: without a layer over it, pivot cannot {what}: {why}")
    }
}

/// The mount in which something is to be changed.
struct Site {
    root: OwnedFd,
    path: PathBuf,
    mount: u64,
    is_top: bool,
}

/// Lays a layer over the mount of the tree in which `path` is, or would be, and mounts over it again what is mounted
/// there. The layer has the mount points that are missing for the rest of the line, as the owner of a directory may
/// not let others make them. Errors: why there can be none, if more is known than what had failed.
///
/// It is only asked for when a change has failed, since it costs as much as some ten mounts.
pub fn lay(top: BorrowedFd<'_>, path: &Path, line: Line<'_>) -> Result<Spare, Option<String>> {
    let told = |errno: Errno| Some(format!("no layer can be laid over it: {}", desc(errno)));
    let site = Site::find(top, path).map_err(told)?;
    if matches!(line.ahead.first(), Some(Work::Edit(_)))
        && line.done.iter().any(|work| work.is_mount(site.mount))
    {
        return Err(Some("what the options mount read-only is not to be changed".to_owned()));
    }
    let root = site.root.as_fd();
    let memory = Memory::make(None, Some(root)).map_err(told)?;
    let upper = memory.upper();
    // Up to the next change, which may want to make one of them in its own way.
    for mount_point in line.ahead.iter().map_while(Work::mount_point) {
        // What is wrong with it will be told when its turn comes.
        let _ = make_missing(top, &site, upper.dir, mount_point);
    }
    let (lower, trusted) = (vec![root], upper.is_trusted());
    let attributes = attributes([root]).map_err(told)?;
    let layout = Layout { lower, upper: Some(upper), attributes, trusted, memory: Some(&memory) };
    let layer = mount(&layout).map_err(|refusal| explain(&refusal, root))?;
    attach(&layer, root).and_then(|()| carry_over(root, layer.as_fd())).map_err(told)?;
    Ok(Spare { layer, is_top: site.is_top, path: site.path })
}

fn explain(refusal: &Refusal, root: BorrowedFd<'_>) -> Option<String> {
    Some(match (refusal.errno, kind_of(root)) {
        (Errno::INVAL, Some(kind)) => format!("over {}, as it is there, no layer can be laid", show(kind)),
        (errno, _) => format!("no layer can be laid over it: {}", desc(errno)),
    })
}

fn desc(errno: Errno) -> &'static str {
    Number::from_raw(errno.raw_os_error()).desc()
}

impl Site {
    fn find(top: BorrowedFd<'_>, path: &Path) -> io::Result<Self> {
        let path = inside::follow(top, path, Lookup::Followed)?;
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
}

/// Makes what the path lacks of the mount in `layer`, and there also what it has, with mode and owner: directories are
/// merged.
fn make_missing(
    top: BorrowedFd<'_>,
    site: &Site,
    layer: BorrowedFd<'_>,
    (path, lookup, kind): MountPoint<'_>,
) -> io::Result<()> {
    let path = inside::follow(top, path, lookup)?;
    let there = existing(top, &path)?;
    let all = path.iter().count();
    if there.len() == all || mount_of(there.last().map_or(top, AsFd::as_fd), "")? != site.mount {
        return Ok(());
    }
    let mut parent = open(layer, Path::new("."))?;
    for (at, name) in path.iter().enumerate().skip(site.path.iter().count()) {
        if kind != FileType::Directory && at + 1 == all {
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
