//! Directories laid over one another and shown as one: overlayfs.
//!
//! The kernel is told of them by descriptor, so that any name works and no path is looked up twice.
//!
//! | module | what it holds |
//! |---|---|
//! | [`kept`] | an upper directory of the user's, with its work directory |
//! | [`place`] | either of these |
//! | [`memory`] | an upper directory in memory |
//! | [`overlay`] | the mount, on any kernel |
//! | [`relation`] | what lies in what |
//! | [`explain`] | what overlayfs refused, and why |

mod explain;
mod kept;
mod memory;
mod overlay;
mod place;
mod relation;

pub use memory::{Memory, resemble};
pub use overlay::{Layout, Refusal, Upper, mount};

use crate::inside::Undo;
use crate::mount::copy_all;
use crate::mount::idmap::{self, IdMap};
use crate::plan::{Mount, Source, Step};
use chain::text::show;
use chain::{Cannot, Error, Result};
use kept::Kept;
use nix::errno::Errno;
use rustix::fs::{CWD, Mode, OFlags, StatVfsMountFlags, fstatvfs, openat};
use rustix::mount::MountAttrFlags;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

/// `OVL_MAX_STACK` of linux/fs/overlayfs.
const MAX_LAYERS: usize = 500;

/// A stack of directories, as plain data.
#[derive(Debug, Clone)]
pub struct Layers {
    /// What is only read, the lowest first.
    pub lower: Vec<PathBuf>,
    /// What becomes of changes.
    pub changes: Changes,
}

/// What becomes of changes to a stack.
#[derive(Debug, Clone)]
pub enum Changes {
    /// There can be none.
    Refused,
    /// They are kept in memory and end with the last process that sees them.
    Lost {
        /// How much there may be, as tmpfs(5) has it; half of the memory when it is not told.
        size: Option<OsString>,
    },
    /// They are kept in a directory.
    Kept {
        /// It.
        upper: PathBuf,
        /// What overlayfs works in; `UPPER.work` when it is not told.
        work: Option<PathBuf>,
    },
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Changes::Refused => f.write_str("refused"),
            Changes::Lost { size: None } => f.write_str("in memory, lost at the end"),
            Changes::Lost { size: Some(size) } => {
                write!(f, "in memory up to {}, lost at the end", show(size))
            }
            Changes::Kept { upper, .. } => write!(f, "kept in {}", show(upper)),
        }
    }
}

/// A directory that is only read, open.
#[derive(Debug)]
pub struct Layer {
    path: PathBuf,
    dir: OwnedFd,
}

/// All directories of a stack, open, before anything is changed.
#[derive(Debug)]
pub struct Stack {
    lower: Vec<Layer>,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Nothing,
    Memory(Option<OsString>),
    Directory(Kept),
}

/// The directories as one, seen by nobody yet.
#[derive(Debug)]
pub struct Mounted {
    /// It.
    pub tree: OwnedFd,
    /// The directories that were made for it.
    pub undo: Undo,
}

/// Gives the overlays among the steps the layers that stand before each of them.
pub fn gather(steps: Vec<Step>) -> Result<Vec<Step>> {
    let (mut gathered, mut ahead) = (Vec::with_capacity(steps.len()), Vec::new());
    for mut step in steps {
        if let Step::Mount(mount) = &mut step {
            match &mut mount.source {
                Source::Layer(dir) => {
                    ahead.push(std::mem::take(dir));
                    continue;
                }
                Source::Overlay(_) if ahead.is_empty() => return Err(no_layers(mount)),
                Source::Overlay(layers) => layers.lower = std::mem::take(&mut ahead),
                _ => {}
            }
        }
        gathered.push(step);
    }
    match ahead.first() {
        None => Ok(gathered),
        Some(dir) => Err(Error::new(format_args!("use {} as a layer", show(dir)), "no overlay follows it")
            .hint("--tmp-overlay DST, --ro-overlay DST or --overlay UPPER:DST does")),
    }
}

fn no_layers(mount: &Mount) -> Error {
    Error::new(mount.what(), "it has no layers")
        .hint("they stand before it, the lowest first: --overlay-src DIR")
}

impl Layers {
    /// Opens all directories and refuses what cannot go together. Changes nothing.
    pub fn open(self) -> Result<Stack> {
        if self.lower.len() > MAX_LAYERS {
            let why = format!("there are {}, and overlayfs takes {MAX_LAYERS}", self.lower.len());
            return Err(Error::new("stack the layers", why));
        }
        let lower = self.lower.into_iter().map(Layer::open).collect::<Result<Vec<_>>>()?;
        let target = match self.changes {
            Changes::Refused => Target::Nothing,
            Changes::Lost { size } => Target::Memory(size),
            Changes::Kept { upper, work } => Target::Directory(Kept::open(upper, work, &lower)?),
        };
        Ok(Stack { lower, target })
    }
}

impl Layer {
    /// The `.` asks for a directory that may be entered.
    fn open(path: PathBuf) -> Result<Self> {
        let what = || format!("use {} as a layer", show(&path));
        if path.as_os_str().is_empty() {
            return Err(Error::new(what(), "its name is empty"));
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, path.join("."), flags, Mode::empty()).cannot_with(what).map_err(|e| {
            e.hint_if(Errno::EMFILE, "each layer takes a descriptor: `ulimit -n` tells how many there may be")
        })?;
        Ok(Layer { path, dir })
    }
}

impl Stack {
    /// Shows the owners of all layers as `map` says.
    pub fn map_ids(&mut self, map: &IdMap) -> Result<()> {
        if let Target::Directory(kept) = &self.target {
            let what = format!("map the ids of {}", show(kept.path()));
            return Err(Error::new(what, "changes are kept with the owners that they have"));
        }
        for Layer { path, dir } in &mut self.lower {
            let what = || format!("map the ids of {}", show(&*path));
            let mapped = copy_all(&*dir, "").cannot_with(what)?;
            idmap::apply(&mapped, map, false, &what)?;
            *dir = mapped;
        }
        Ok(())
    }

    /// Mounts it; `what` says what for, after the word "cannot".
    pub fn mount(mut self, what: impl FnOnce() -> String) -> Result<Mounted> {
        let mut undo = Undo::default();
        let topmost = self.lower.last().map(|layer| layer.dir.as_fd());
        let memory = match &mut self.target {
            Target::Directory(kept) => kept.make(topmost, &mut undo).map(|()| None)?,
            Target::Nothing => Some(memory(None, topmost)?),
            Target::Memory(size) => Some(memory(size.as_deref(), topmost)?),
        };
        let layout = self.layout(memory.as_ref()).cannot("look at the layers")?;
        let tree = mount(&layout).map_err(|refusal| explain::explain(&refusal, &what(), &self))?;
        Ok(Mounted { tree, undo })
    }

    /// One layer alone is no overlay to the kernel: where there is no upper directory, an empty layer is on top.
    fn layout<'a>(&'a self, memory: Option<&'a Memory>) -> rustix::io::Result<Layout<'a>> {
        let mut lower: Vec<BorrowedFd<'_>> = self.lower.iter().map(|layer| layer.dir.as_fd()).collect();
        let (upper, trusted) = match (&self.target, memory) {
            (Target::Directory(kept), _) => (kept.upper(), kept.upper().is_some_and(Upper::is_trusted)),
            (Target::Memory(_), Some(memory)) => (Some(memory.upper()), memory.upper().is_trusted()),
            (_, Some(memory)) => {
                lower.push(memory.upper().dir);
                (None, memory.upper().is_trusted())
            }
            (_, None) => (None, false),
        };
        let kept = upper.filter(|_| memory.is_none()).map(|upper| upper.dir);
        let attributes = attributes(self.lower.iter().map(|layer| layer.dir.as_fd()).chain(kept))?;
        Ok(Layout { lower, upper, attributes, trusted, memory })
    }
}

fn memory(size: Option<&OsStr>, like: Option<BorrowedFd<'_>>) -> Result<Memory> {
    Memory::make(size, like).cannot("make a file system in memory for the changes")
}

/// What holds for one of the mounts that the directories are on, holds for all: a stack does not give effect to the
/// device nodes or set-user-ID bits of one that was mounted without.
pub fn attributes<'a>(
    directories: impl IntoIterator<Item = BorrowedFd<'a>>,
) -> rustix::io::Result<MountAttrFlags> {
    let pairs = [
        (StatVfsMountFlags::NOSUID, MountAttrFlags::MOUNT_ATTR_NOSUID),
        (StatVfsMountFlags::NODEV, MountAttrFlags::MOUNT_ATTR_NODEV),
        (StatVfsMountFlags::NOEXEC, MountAttrFlags::MOUNT_ATTR_NOEXEC),
    ];
    let mut found = MountAttrFlags::empty();
    for directory in directories {
        let flags = fstatvfs(directory)?.f_flag;
        found |= pairs.iter().filter(|pair| flags.contains(pair.0)).map(|pair| pair.1).collect();
    }
    Ok(found)
}
