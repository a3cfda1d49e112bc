//! What becomes the root: a directory, or layers.
//!
//! | module | what it holds |
//! |---|---|
//! | [`tree`] | it, mounted out of the way |
//! | [`furnish`], [`edits`] | what is mounted and changed in it |
//! | [`spare`] | mount points in a root that cannot be changed |
//! | [`switch`] | leaving the old root |
//! | [`turn`] | runs that share a root |

mod edits;
mod furnish;
mod spare;
mod switch;
mod tree;
mod turn;

use crate::inside::Undo;
use crate::layers::Stack;
use crate::mount::{self, bind, idmap};
use crate::plan::{Base, Look};
use chain::shelter::OwnMount;
use chain::sys::mount::{NODEV, RDONLY, SLAVE, set_attributes};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Statx, StatxAttributes, StatxFlags, openat, statx};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use tree::{Line, Spot, Tree};

pub use switch::{Start, start_in};

/// As it is, open; nothing has been changed.
#[derive(Debug)]
pub enum Root {
    /// A directory.
    Directory {
        /// Itself.
        place: OwnedFd,
        /// As the user named it.
        path: PathBuf,
    },
    /// Layers.
    Layers(Stack),
}

impl Root {
    /// Opens the directory or the layers. Refuses `/` as the directory, which is the root already.
    pub fn open(base: Base) -> Result<Self> {
        match base {
            Base::Directory(path) => open_directory(path),
            Base::Layers(layers) => layers.open().map(Root::Layers),
        }
    }

    /// Mounts it, so that only this process and its children see it. `program` is left behind with the old root.
    pub fn attach(self, look: &Look, program: Option<OwnMount>) -> Result<Tree> {
        let mut tree = match self {
            Root::Directory { place, path } => attach_copy(place, &path, look),
            Root::Layers(stack) => attach_layers(stack, look),
        }?;
        tree.program = program;
        Ok(tree)
    }
}

/// The `.` asks for a directory that may be entered.
fn open_directory(path: PathBuf) -> Result<Root> {
    let what = || format!("use {} as the root", show(&path));
    if path.as_os_str().is_empty() {
        return Err(Error::new(what(), "its name is empty"));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = openat(CWD, path.join("."), flags, Mode::empty()).cannot_with(what)?;
    if is_root(&place).cannot_with(what)? {
        return Err(Error::new(what(), "it is the root already")
            .hint("as a layer it can be had: `--layer /` shows it and keeps no change"));
    }
    Ok(Root::Directory { place, path })
}

/// Only the root of a mount can be it, but in a chroot, where the root may be any directory and may be named here.
fn is_root(dir: &OwnedFd) -> rustix::io::Result<bool> {
    let identity = |stat: Statx| (stat.stx_mnt_id, stat.stx_ino, stat.stx_dev_major, stat.stx_dev_minor);
    let fields = StatxFlags::INO | StatxFlags::MNT_ID;
    let dir = statx(dir, "", AtFlags::EMPTY_PATH, fields)?;
    Ok(dir.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
        && identity(dir) == identity(statx(CWD, "/", AtFlags::empty(), fields)?))
}

/// Mounts a copy of a directory, with all that is mounted in it, over it: changes to the copy's mounts end with this
/// process and its children.
fn attach_copy(place: OwnedFd, path: &Path, look: &Look) -> Result<Tree> {
    let what = || format!("use {} as the root", show(path));
    let top = mount::copy_all(&place, "").cannot_with(what).map_err(|e| {
        e.hint_if(
            Errno::EINVAL,
            "name it by its path: a descriptor from before belongs to another mount namespace",
        )
    })?;
    if look.propagation == Some(SLAVE) {
        check_ties(&place, path)?;
    }
    let name = show(path);
    if look.nodev {
        set_attributes(top.as_fd(), NODEV, true).cannot_with(|| format!("take the devices out of {name}"))?;
    }
    if look.read_only {
        set_attributes(top.as_fd(), RDONLY, true).cannot_with(|| format!("make {name} read-only"))?;
    }
    let map_ids = || format!("map the ids of {name}");
    look.ids.as_ref().map_or(Ok(()), |map| idmap::apply(&top, map, true, &map_ids))?;
    mount::attach(&top, &place).cannot_with(what)?;
    Ok(Tree::new(top, place, Undo::default(), look.propagation, false))
}

fn check_ties(place: &OwnedFd, path: &Path) -> Result<()> {
    let what = || format!("let mounts into {}", show(path));
    match bind::has_field(place, Path::new(""), &["master:"]).cannot_with(what)? {
        true => Ok(()),
        false => Err(bind::no_ties(what())),
    }
}

/// Layers have no place of their own: they are mounted over `/`, beneath which this process goes on to look up paths.
fn attach_layers(mut stack: Stack, look: &Look) -> Result<Tree> {
    let what = || "use the layers as the root".to_owned();
    if look.propagation == Some(SLAVE) {
        return Err(Error::new("let mounts into the root", "nothing outside is mounted in layers"));
    }
    if let Some(map) = &look.ids {
        stack.map_ids(map)?;
    }
    let mounted = stack.mount(what)?;
    if look.nodev {
        set_attributes(mounted.tree.as_fd(), NODEV, false).cannot("take the devices out of the layers")?;
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = openat(CWD, "/", flags, Mode::empty()).cannot_with(what)?;
    mount::attach(&mounted.tree, &place).cannot_with(what)?;
    Ok(Tree::new(mounted.tree, place, mounted.undo, look.propagation, look.read_only))
}
