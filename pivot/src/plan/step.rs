//! The steps that furnish a root: what is mounted, and what is changed in between.

use crate::layers::Layers;
use crate::mount::idmap::IdMap;
use chain::sys::mount::RDONLY;
use chain::text::show;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// One step, done in the order given.
#[derive(Debug, Clone)]
pub enum Step {
    /// Something is mounted.
    Mount(Mount),
    /// Something is made or changed without a mount.
    Edit(Edit),
}

/// Something that is to appear in the root.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The path relative to the root.
    pub target: PathBuf,
    /// How that path is looked up.
    pub lookup: Lookup,
    /// What appears there.
    pub source: Source,
    /// How.
    pub options: MountOptions,
}

/// How a path of the root is looked up. Neither way can lead out of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// As a program in the root would see it, symbolic links and all.
    Followed,
    /// A symbolic link is refused: for what the root file system must have no say in.
    Plain,
}

/// What can be mounted.
#[derive(Debug, Clone)]
pub enum Source {
    /// A directory or file of the old root, with all that is mounted in it.
    Bind {
        /// Its path.
        source: PathBuf,
        /// Nothing is done when there is no such file.
        optional: bool,
    },
    /// The same, by the number of an open descriptor.
    Descriptor(u32),
    /// A file in memory with this content.
    Text(OsString),
    /// A file in memory with what can be read from the descriptor of this number.
    Content(u32),
    /// A new empty file system in memory.
    Tmpfs,
    /// A minimal /dev, but for those of its mounts that have a step of their own.
    Dev {
        /// Their names.
        without: Vec<&'static str>,
    },
    /// Terminals of its own.
    Devpts,
    /// Shared memory: a small file system in memory.
    Shm,
    /// The message queues of the ipc namespace.
    Mqueue,
    /// This pid namespace's /proc, masked.
    Proc,
    /// A read-only /sys, masked.
    Sys,
    /// The control groups, from this process's own on.
    Cgroup,
    /// A file system of this type.
    Other(OsString),
    /// A directory that the next overlay is to show, and no mount itself.
    Layer(PathBuf),
    /// Directories laid over one another.
    Overlay(Layers),
}

/// How something is mounted.
#[derive(Debug, Clone, Default)]
pub struct MountOptions {
    /// Attributes to set, [`chain::sys::mount`].
    pub set: u64,
    /// Attributes to take away, before that.
    pub clear: u64,
    /// What is mounted in the source does not come with it.
    pub top_only: bool,
    /// One of the propagation types of [`chain::sys::mount`].
    pub propagation: Option<u64>,
    /// How the owners of files are shown.
    pub ids: Option<IdMap>,
    /// Options of the file system: name, and value if it has one.
    pub parameters: Vec<(OsString, Option<OsString>)>,
}

impl MountOptions {
    /// The attributes, given those that are the default.
    pub fn attributes(&self, default: u64) -> u64 {
        default & !self.clear | self.set
    }

    /// The last value given for a parameter of the file system, where that is a number.
    pub fn number(&self, name: &str, radix: u32) -> Option<u32> {
        let (_, value) = self.parameters.iter().rev().find(|(key, _)| key == name)?;
        u32::from_str_radix(value.as_ref()?.to_str()?, radix).ok()
    }
}

/// A change of the root, or of what was mounted in it before.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The path relative to the root; empty for the root itself.
    pub target: PathBuf,
    /// What is done there.
    pub change: Change,
}

/// What can be changed.
#[derive(Debug, Clone)]
pub enum Change {
    /// A symbolic link to this is made.
    Link(OsString),
    /// A directory is made; one that exists stays as it is.
    Directory {
        /// Its permission bits.
        mode: Option<u32>,
        /// Its owner and group.
        owner: (Option<u32>, Option<u32>),
    },
    /// A file or directory gets these permission bits.
    Mode(u32),
    /// The mount becomes read-only.
    ReadOnly,
}

impl Step {
    /// Whether it mounts something on this path, relative to the root.
    pub fn mounts_on(&self, path: &Path) -> bool {
        matches!(self, Step::Mount(mount) if mount.target == path)
    }

    /// The mount, if it is one.
    pub fn as_mount(&self) -> Option<&Mount> {
        match self {
            Step::Mount(mount) => Some(mount),
            Step::Edit(_) => None,
        }
    }

    /// What the message says of it.
    pub fn what(&self) -> String {
        match self {
            Step::Mount(mount) => mount.what(),
            Step::Edit(edit) => edit.what(),
        }
    }
}

impl Mount {
    /// A mount that the user asked for.
    pub fn new(target: PathBuf, source: Source, options: MountOptions) -> Self {
        Mount { target, lookup: Lookup::Followed, source, options }
    }

    /// A file of the old root, shown read-only.
    pub fn read_only_file(file: PathBuf, target: &str) -> Self {
        let options = MountOptions { set: RDONLY, ..MountOptions::default() };
        Mount::new(target.into(), Source::Bind { source: file, optional: false }, options)
    }

    /// What the message says of it: "mount a on /b".
    pub fn what(&self) -> String {
        let source = match &self.source {
            Source::Bind { source, .. } => show(source),
            Source::Descriptor(fd) => format!("descriptor {fd}"),
            Source::Text(_) | Source::Content(_) => "a file".to_owned(),
            Source::Tmpfs => "a tmpfs".to_owned(),
            Source::Dev { .. } => "devices".to_owned(),
            Source::Devpts => "devpts".to_owned(),
            Source::Shm => "shared memory".to_owned(),
            Source::Mqueue => "message queues".to_owned(),
            Source::Proc => "proc".to_owned(),
            Source::Sys => "sysfs".to_owned(),
            Source::Cgroup => "control groups".to_owned(),
            Source::Overlay(_) | Source::Layer(_) => "an overlay".to_owned(),
            Source::Other(kind) => show(kind),
        };
        format!("mount {source} on {}", show(self.place()))
    }

    /// The path inside the new root.
    pub fn place(&self) -> PathBuf {
        place(&self.target)
    }
}

impl Edit {
    /// What the message says of it.
    pub fn what(&self) -> String {
        let place = show(place(&self.target));
        match &self.change {
            Change::Link(target) => format!("make the link {place} to {}", show(target)),
            Change::Directory { .. } => format!("make the directory {place}"),
            Change::Mode(mode) => format!("give {place} the mode {mode:04o}"),
            Change::ReadOnly => format!("make {place} read-only"),
        }
    }
}

/// The path inside the new root.
fn place(target: &Path) -> PathBuf {
    Path::new("/").join(target)
}
