//! Mounts by descriptor: each is made out of sight and appears at its place in one step, move_mount(2).
//!
//! | module | what it holds |
//! |---|---|
//! | [`bind`] | copies of what the old root shows |
//! | [`filesystem`], [`cgroup`] | new file systems |
//! | [`files`] | files in memory |
//! | [`idmap`] | owners of files shown as others |
//! | [`dev`], [`proc`], [`covers`] | what lies on top of /dev, /proc and /sys |

pub mod bind;
mod cgroup;
pub mod covers;
mod dev;
pub mod files;
pub mod filesystem;
pub mod idmap;
pub mod proc;

use crate::defaults;
use crate::inside::Undo;
use crate::layers::{Layers, Mounted};
use crate::mount::covers::Covers;
use crate::mount::filesystem::{Refusal, make_any};
use crate::plan::{Edit, Lookup, Masks, Mount, MountOptions, Source, Step};
use crate::table::mount_of;
use bind::{Early, Rules};
use chain::sys::mount::{NODEV, NOEXEC, NOSUID, RDONLY, exchange_attributes, make_private, set_attributes};
use chain::{Cannot, Error, Result};
use rustix::fs::{CWD, FileType, fstat};
use rustix::io;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use rustix::path::Arg;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// A second mount of what `path` below `dir` shows, seen by nobody yet; it has the flags of the first.
pub fn copy(dir: impl AsFd, path: impl Arg) -> io::Result<OwnedFd> {
    open_tree(dir, path, COPY)
}

/// The same with all that is mounted in it.
pub fn copy_all(dir: impl AsFd, path: impl Arg) -> io::Result<OwnedFd> {
    open_tree(dir, path, COPY | OpenTreeFlags::AT_RECURSIVE)
}

const COPY: OpenTreeFlags = OpenTreeFlags::OPEN_TREE_CLONE
    .union(OpenTreeFlags::OPEN_TREE_CLOEXEC)
    .union(OpenTreeFlags::AT_EMPTY_PATH);

/// Lets `mount` appear on an open file or directory.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> io::Result<()> {
    attach_at(mount, target, "")
}

/// Lets `mount` appear on `path` below `dir`, which must be of our own making: links on the way are followed.
pub fn attach_at(mount: impl AsFd, dir: impl AsFd, path: impl Arg) -> io::Result<()> {
    let empty_paths = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", dir, path, empty_paths)
}

/// A step that can be done without the old root's help.
#[derive(Debug)]
pub enum Work {
    /// A mount is to appear.
    Mount(Ready),
    /// A file in memory with this content is to appear.
    File(Mount, Vec<u8>),
    /// A change is to be made.
    Edit(Edit),
}

/// A mount that is ready to appear.
#[derive(Debug)]
pub struct Ready {
    /// What was asked for.
    pub mount: Mount,
    /// Where it is now.
    pub tree: OwnedFd,
    /// What was made for it in the old root.
    pub undo: Undo,
}

impl Ready {
    /// One for which nothing was made.
    pub fn new(mount: Mount, tree: OwnedFd) -> Self {
        Ready { mount, tree, undo: Undo::default() }
    }

    /// What its mount point must be.
    pub fn file_type(&self) -> Result<FileType> {
        match self.mount.source {
            Source::Bind { .. } | Source::Descriptor(_) => {
                let stat = fstat(&self.tree).cannot_with(|| self.mount.what())?;
                Ok(FileType::from_raw_mode(stat.st_mode))
            }
            Source::Text(_) | Source::Content(_) => Ok(FileType::RegularFile),
            _ => Ok(FileType::Directory),
        }
    }
}

/// Where something is to be mounted, how that is looked up, and what must be there.
pub type MountPoint<'a> = (&'a Path, Lookup, FileType);

impl Work {
    /// What is done, after the word "cannot".
    pub fn what(&self) -> String {
        match self {
            Work::Mount(Ready { mount, .. }) | Work::File(mount, _) => mount.what(),
            Work::Edit(edit) => edit.what(),
        }
    }

    /// Whether it has made the mount of this number.
    pub fn is_mount(&self, number: u64) -> bool {
        matches!(self, Work::Mount(ready) if mount_of(&ready.tree, "").is_ok_and(|own| own == number))
    }

    /// The mount point that it wants.
    pub fn mount_point(&self) -> Option<MountPoint<'_>> {
        match self {
            Work::Mount(ready) => Some((&ready.mount.target, ready.mount.lookup, ready.file_type().ok()?)),
            Work::File(mount, _) => Some((&mount.target, mount.lookup, FileType::RegularFile)),
            Work::Edit(_) => None,
        }
    }

    /// It stays, until the command ends.
    pub fn keep(self) {
        if let Work::Mount(ready) = self {
            ready.undo.keep();
            // Closed with all other descriptors at once.
            std::mem::forget(ready.tree);
        }
    }
}

/// Makes all mounts while the old root is in place: their sources are paths of it, and a user namespace may only
/// mount a /proc while it still sees one. None appears anywhere yet.
pub fn prepare(steps: Vec<Early>, rules: Rules) -> Result<Vec<Work>> {
    steps.into_iter().filter_map(|early| work(early, rules).transpose()).collect()
}

/// `None` when there is nothing to bind and need not be.
fn work(early: Early, rules: Rules) -> Result<Option<Work>> {
    let mount = match (early.step, early.tree) {
        (Step::Edit(edit), _) => return Ok(Some(Work::Edit(edit))),
        (Step::Mount(mount), Some(tree)) => return Ok(Some(Work::Mount(Ready::new(mount, tree)))),
        (Step::Mount(mount), None) => mount,
    };
    let tree = match &mount.source {
        Source::Text(text) => {
            let content = text.as_encoded_bytes().to_vec();
            return Ok(Some(Work::File(mount, content)));
        }
        Source::Content(fd) => {
            let content = files::content_of(*fd, &mount)?;
            return Ok(Some(Work::File(mount, content)));
        }
        Source::Overlay(layers) => {
            let Mounted { tree, undo } = overlay(&mount, layers, rules)?;
            return Ok(Some(Work::Mount(Ready { mount, tree, undo })));
        }
        Source::Bind { source, optional } => bind::make(source, *optional, &mount, rules)?,
        _ => Some(filesystem(&mount, rules)?),
    };
    Ok(tree.map(|tree| Work::Mount(Ready::new(mount, tree))))
}

fn overlay(mount: &Mount, layers: &Layers, rules: Rules) -> Result<Mounted> {
    let mounted = layers.clone().open()?.mount(|| mount.what())?;
    let MountOptions { clear, set, .. } = mount.options;
    let set = set | if rules.nodev { NODEV & !clear } else { 0 };
    if set | clear != 0 {
        exchange_attributes(mounted.tree.as_fd(), clear, set, false).cannot_with(|| mount.what())?;
    }
    Ok(mounted)
}

fn filesystem(mount: &Mount, rules: Rules) -> Result<OwnedFd> {
    let options = &mount.options;
    let made = match &mount.source {
        Source::Sys => return sys(mount, rules),
        Source::Cgroup => return cgroup::make(mount),
        Source::Dev { .. } => defaults::DEV.make_with(options),
        Source::Devpts => dev::terminals(options),
        Source::Shm => defaults::SHM.make_with(options),
        Source::Mqueue => defaults::MQUEUE.make_with(options),
        Source::Proc if proc::is_subset(options) => defaults::PROC_OF_PIDS.make_with(options),
        Source::Proc => defaults::PROC.make_with(options),
        Source::Other(kind) => make_any(kind, options, if rules.nodev { NODEV } else { 0 }),
        _ => defaults::TMPFS.make_with(options),
    };
    made.map_err(|refusal| explain(&refusal, mount))
}

fn explain(refusal: &Refusal, mount: &Mount) -> Error {
    let e = refusal.error(mount.what());
    match (refusal.errno, &mount.source) {
        (io::Errno::PERM, Source::Proc) => e.hint(
            "an outer container hides parts of its /proc, so that no whole one may be mounted: \
             use its own with `--bind /proc:/proc`, or none with --bare",
        ),
        (io::Errno::PERM, Source::Mqueue) => {
            e.hint("the ipc namespace is not this user namespace's: add -i to unshare-rs")
        }
        (io::Errno::PERM, Source::Other(_)) => {
            e.hint("in a user namespace few types may be mounted: tmpfs, overlay, fuse and a few more")
        }
        _ => e,
    }
}

/// A user namespace may mount a sysfs only together with a network namespace of its own; without one it gets what
/// the old root has, read-only.
fn sys(mount: &Mount, rules: Rules) -> Result<OwnedFd> {
    match defaults::SYS.make_with(&mount.options) {
        Err(Refusal { errno: io::Errno::PERM, .. }) => {
            let tree = copy_all(CWD, "/sys").cannot_with(|| mount.what())?;
            let attributes = mount.options.attributes(RDONLY | NOSUID | NODEV | NOEXEC);
            set_attributes(tree.as_fd(), attributes, true).cannot("make /sys read-only")?;
            if rules.cut {
                make_private(tree.as_fd()).cannot_with(|| mount.what())?;
            }
            Ok(tree)
        }
        made => made.map_err(|refusal| refusal.error(mount.what())),
    }
}

/// Mounts what lies on top of a mount, now that it has appeared. `covers` hide what must not be seen.
pub fn finish(ready: &Ready, masks: &Masks, covers: &mut Covers) -> Result<()> {
    let tree: BorrowedFd<'_> = ready.tree.as_fd();
    match &ready.mount.source {
        Source::Dev { without } => {
            dev::fill(tree, without)?;
            if ready.mount.options.set & RDONLY != 0 {
                set_attributes(tree, RDONLY, false).cannot("make /dev read-only")?;
            }
            covers.hide_files_with(tree)
        }
        Source::Proc => proc::finish_proc(tree, &ready.mount.options, masks, covers),
        Source::Sys => proc::finish_sys(tree, masks, covers),
        Source::Cgroup => cgroup::finish(tree, &ready.mount),
        _ => Ok(()),
    }
}
