//! The mount of an overlay.

use super::memory::{Memory, directory};
use crate::mount::filesystem::errors;
use crate::mount::{attach, copy};
use rustix::fs::{CWD, Mode, OFlags, fremovexattr, openat};
use rustix::io::{self, Errno};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, UnmountFlags};
use rustix::mount::{fsconfig_create, fsconfig_set_fd, fsconfig_set_flag, fsconfig_set_string};
use rustix::mount::{fsmount, fsopen, mount as mount_by_name, unmount};
use rustix::process::{chdir, fchdir};
use std::ffi::CString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// What /proc/mounts names as the source.
const SOURCE: &str = "pivot";

/// An overlay that is to be mounted.
#[derive(Debug)]
pub struct Layout<'a> {
    /// What is only read, the lowest first.
    pub lower: Vec<BorrowedFd<'a>>,
    /// Where changes go.
    pub upper: Option<Upper<'a>>,
    /// The flags of the mount.
    pub attributes: MountAttrFlags,
    /// The marks of overlayfs are `trusted.*` attributes, which a user namespace may not write, instead of `user.*`.
    pub trusted: bool,
    /// The file system in memory that is part of it, if there is one.
    pub memory: Option<&'a Memory>,
}

/// Where changes go.
#[derive(Debug, Clone, Copy)]
pub struct Upper<'a> {
    /// The directory that holds them.
    pub dir: BorrowedFd<'a>,
    /// The directory that overlayfs works in, not opened with `O_PATH`.
    pub work: BorrowedFd<'a>,
}

impl Upper<'_> {
    /// Whether this process may write `trusted.*` attributes: the kernel says so before it looks for the attribute,
    /// which is not there. xattr(7)
    pub fn is_trusted(self) -> bool {
        fremovexattr(self.work, "trusted.overlay.none") != Err(Errno::PERM)
    }
}

/// What the kernel said.
#[derive(Debug)]
pub struct Refusal {
    /// The error.
    pub errno: Errno,
    /// Its explanation, where it gave one.
    pub log: Option<String>,
    described: bool,
}

/// Options that the marks `trusted.*` bring into play, and that a user namespace neither may set nor needs to.
///
/// An upper directory is to be of use later: as a layer, as an archive, over layers that were copied meanwhile. So
/// nothing is kept in it that points into the layers. Directories of layers that were renamed by another overlay are
/// found as the kernel's own default has it.
const OPTIONS: [(&str, &str); 3] = [("index", "off"), ("metacopy", "off"), ("redirect_dir", "off")];

/// Mounts it, seen by nobody yet.
pub fn mount(layout: &Layout<'_>) -> Result<OwnedFd, Refusal> {
    let options: &[_] = if layout.trusted { &OPTIONS } else { &[] };
    mount_with(layout, options)
}

/// Whether another overlay keeps its changes in `dir` or works there.
///
/// The kernel tells only who has an index. This overlay with one never comes to be, as it would work in the parent of
/// its upper directory; that is found out later, and is a line in the kernel's log. It takes the kernel an RCU grace
/// period to forget it again, a millisecond or so: ask only where it matters.
pub fn is_in_use(dir: BorrowedFd<'_>, parent: BorrowedFd<'_>) -> bool {
    let upper = Some(Upper { dir, work: parent });
    let attributes = MountAttrFlags::empty();
    let layout = Layout { lower: vec![parent], upper, attributes, trusted: false, memory: None };
    matches!(mount_with(&layout, &[("index", "on")]), Err(Refusal { errno: Errno::BUSY, .. }))
}

/// Linux before 6.13 takes no descriptors here, and before 6.15 no directory of a file system that is mounted nowhere.
fn mount_with(layout: &Layout<'_>, options: &[(&str, &str)]) -> Result<OwnedFd, Refusal> {
    match by_descriptor(layout, options) {
        Err(refusal) if refusal.may_be_age(layout) => {
            by_name(layout, options).map_err(|errno| Refusal { errno, ..refusal })
        }
        mounted => mounted,
    }
}

impl Refusal {
    fn may_be_age(&self, layout: &Layout<'_>) -> bool {
        [Errno::INVAL, Errno::OPNOTSUPP].contains(&self.errno) && (!self.described || layout.memory.is_some())
    }
}

fn by_descriptor(layout: &Layout<'_>, options: &[(&str, &str)]) -> Result<OwnedFd, Refusal> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).map_err(|errno| Refusal {
        errno,
        log: None,
        described: true,
    })?;
    let refusal = |errno, described| Refusal { errno, log: last_words(&errors(context.as_fd())), described };
    describe(context.as_fd(), layout, options).map_err(|errno| refusal(errno, false))?;
    fsconfig_create(&context)
        .and_then(|()| fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, layout.attributes))
        .map_err(|errno| refusal(errno, true))
}

fn describe(context: BorrowedFd<'_>, layout: &Layout<'_>, options: &[(&str, &str)]) -> io::Result<()> {
    fsconfig_set_string(context, "source", SOURCE)?;
    for layer in layout.lower.iter().rev() {
        fsconfig_set_fd(context, "lowerdir+", layer)?;
    }
    if let Some(upper) = layout.upper {
        fsconfig_set_fd(context, "upperdir", upper.dir)?;
        fsconfig_set_fd(context, "workdir", upper.work)?;
    }
    for (name, value) in options {
        fsconfig_set_string(context, *name, *value)?;
    }
    if layout.trusted { Ok(()) } else { fsconfig_set_flag(context, "userxattr") }
}

/// Some are of the kernel's file system layer, which says less.
fn last_words(errors: &[String]) -> Option<String> {
    errors.iter().rev().find_map(|text| text.strip_prefix("overlay: ")).map(str::to_owned)
}

/// The names are those of descriptors in /proc/self/fd, which have no special characters and are short: all of them
/// must fit in a page. The mount has to appear somewhere before it can be taken away again: in a file system of ours,
/// laid over `/`, where no path but `/..` leads.
fn by_name(layout: &Layout<'_>, options: &[(&str, &str)]) -> io::Result<OwnedFd> {
    let own = layout.memory.is_none().then(|| Memory::make(None, None)).transpose()?;
    let bench = layout.memory.or(own.as_ref()).ok_or(Errno::NOMEM)?.top();
    let place = directory(bench, "overlay")?;
    let here = opened(CWD, ".")?;
    attach(bench, opened(CWD, "/")?)?;
    let mounted = chdir("/proc/self/fd")
        .and_then(|()| {
            let flags = MountFlags::from_bits_retain(layout.attributes.bits());
            mount_by_name(SOURCE, place.as_raw_fd().to_string(), "overlay", flags, &*data(layout, options))
        })
        .and_then(|()| copy(opened(bench, "overlay")?, ""));
    fchdir(bench).and_then(|()| unmount(".", UnmountFlags::DETACH))?;
    fchdir(here)?;
    mounted
}

fn opened(dir: impl AsFd, path: &str) -> io::Result<OwnedFd> {
    openat(dir, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// What mount(2) is told, for the working directory /proc/self/fd.
fn data(layout: &Layout<'_>, options: &[(&str, &str)]) -> CString {
    let names = layout.lower.iter().rev().map(|layer| layer.as_raw_fd().to_string());
    let mut text = format!("lowerdir={}", names.collect::<Vec<_>>().join(":"));
    if let Some(Upper { dir, work }) = layout.upper {
        text += &format!(",upperdir={},workdir={}", dir.as_raw_fd(), work.as_raw_fd());
    }
    for (name, value) in options {
        text += &format!(",{name}={value}");
    }
    if !layout.trusted {
        text += ",userxattr";
    }
    CString::new(text).unwrap_or_default()
}
