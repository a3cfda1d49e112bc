//! Mounts by descriptor: each is made out of sight and appears at its place in one step, move_mount(2).

use crate::plan::{Mount, Source};
use crate::{defaults, dev, proc};
use chain::sys::mount::{NODEV, NOEXEC, NOSUID, RDONLY, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{CWD, FileType, fstat};
use rustix::io;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags};
use rustix::mount::{fsconfig_create, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree};
use rustix::path::Arg;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// A kind of file system and how it is mounted.
#[derive(Debug)]
pub struct Filesystem {
    /// Its name in /proc/filesystems.
    pub kind: &'static str,
    /// Flags of the mount.
    pub attributes: MountAttrFlags,
    /// Options of the file system.
    pub options: &'static [(&'static str, &'static str)],
}

impl Filesystem {
    /// Makes one, seen by nobody yet.
    pub fn make(&self) -> io::Result<OwnedFd> {
        let context = fsopen(self.kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", self.kind)?;
        for (name, value) in self.options {
            fsconfig_set_string(&context, *name, *value)?;
        }
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, self.attributes)
    }
}

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

/// A mount that is ready to appear.
#[derive(Debug)]
pub struct Ready {
    /// What was asked for.
    pub mount: Mount,
    /// Where it is now.
    pub tree: OwnedFd,
}

impl Ready {
    /// What the message says of it: "mount a on /b".
    pub fn what(&self) -> String {
        self.mount.what()
    }

    /// What its mount point must be.
    pub fn file_type(&self) -> Result<FileType> {
        match self.mount.source {
            Source::Bind { .. } => {
                let stat = fstat(&self.tree).cannot_with(|| self.what())?;
                Ok(FileType::from_raw_mode(stat.st_mode))
            }
            _ => Ok(FileType::Directory),
        }
    }
}

impl Mount {
    /// The path inside the new root.
    pub fn place(&self) -> PathBuf {
        Path::new("/").join(&self.target)
    }

    /// What is done, after "cannot".
    pub fn what(&self) -> String {
        let source = match &self.source {
            Source::Bind { source, .. } => show(source),
            Source::Tmpfs => "a tmpfs".to_owned(),
            Source::Dev => "devices".to_owned(),
            Source::Proc => "proc".to_owned(),
            Source::Sys => "sysfs".to_owned(),
        };
        format!("mount {source} on {}", show(self.place()))
    }
}

/// Makes all mounts while the old root is in place: their sources are paths of it, and a user namespace may only
/// mount a /proc while it still sees one. None appears anywhere yet.
pub fn prepare(mounts: Vec<Mount>) -> Result<Vec<Ready>> {
    mounts.into_iter().map(|mount| Ok(Ready { tree: make(&mount)?, mount })).collect()
}

fn make(mount: &Mount) -> Result<OwnedFd> {
    let made = match &mount.source {
        Source::Bind { source, read_only } => return bind(mount, source, *read_only),
        Source::Sys => return sys(mount),
        Source::Tmpfs => defaults::TMPFS.make(),
        Source::Dev => defaults::DEV.make(),
        Source::Proc => defaults::PROC.make(),
    };
    made.cannot_with(|| mount.what()).map_err(|e| explain(e, mount))
}

fn explain(e: Error, mount: &Mount) -> Error {
    match mount.source {
        Source::Proc => e.hint_if(
            Errno::EPERM,
            "an outer container hides parts of its /proc, so that no whole one may be mounted: \
             use its own with `--bind /proc:/proc`, or none with --bare",
        ),
        _ => e,
    }
}

fn bind(mount: &Mount, source: &Path, read_only: bool) -> Result<OwnedFd> {
    let tree = copy_all(CWD, source).cannot_with(|| mount.what()).map_err(|e| {
        e.hint_if(
            Errno::EINVAL,
            "name it by its path: a descriptor from before belongs to another mount namespace",
        )
    })?;
    if read_only {
        set_attributes(tree.as_fd(), RDONLY, true)
            .cannot_with(|| format!("make {} read-only", show(source)))?;
    }
    Ok(tree)
}

/// A user namespace may mount a sysfs only together with a network namespace of its own; without one it gets what
/// the old root has, read-only.
fn sys(mount: &Mount) -> Result<OwnedFd> {
    match defaults::SYS.make() {
        Err(io::Errno::PERM) => {
            let tree = copy_all(CWD, "/sys").cannot_with(|| mount.what())?;
            let attributes = RDONLY | NOSUID | NODEV | NOEXEC;
            set_attributes(tree.as_fd(), attributes, true).cannot("make /sys read-only")?;
            Ok(tree)
        }
        made => made.cannot_with(|| mount.what()),
    }
}

/// Mounts what lies on top of a mount, now that it has appeared. `covers` hide what must not be seen.
pub fn finish(ready: &Ready, covers: &mut proc::Covers) -> Result<()> {
    let tree: BorrowedFd<'_> = ready.tree.as_fd();
    match ready.mount.source {
        Source::Dev => {
            dev::fill(tree)?;
            covers.hide_files_with(tree)
        }
        Source::Proc => proc::finish_proc(tree, covers),
        Source::Sys => proc::finish_sys(tree, covers),
        Source::Bind { .. } | Source::Tmpfs => Ok(()),
    }
}
