//! A mount namespace that nobody else shares.

use crate::plan::Names;
use chain::ns::{Kind, flags, list};
use chain::process::Status;
use chain::shelter::{OwnMount, take_if_own};
use chain::sys::process::unshare;
use chain::text::show;
use chain::{Cannot, Error, Result, fresh};
use nix::errno::Errno;
use rustix::fs::{AtFlags, CWD, FsWord, Mode, OFlags, StatxAttributes, StatxFlags, openat, statfs, statx};
use rustix::io;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{PidfdFlags, chdir, chroot, fchdir, getpid, pidfd_open};
use rustix::system::{setdomainname, sethostname};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

/// linux/magic.h
const RAMFS_MAGIC: FsWord = 0x8584_58f6;
/// linux/magic.h
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Cuts the ties of all mounts below `/` to other namespaces; with `follow`, what is mounted there still appears here.
pub fn cut_ties(follow: bool) -> Result<()> {
    let kind = if follow { MountPropagationFlags::DOWNSTREAM } else { MountPropagationFlags::PRIVATE };
    mount_change("/", kind | MountPropagationFlags::REC)
        .cannot("make the mounts private")
        .map_err(|e| e.hint_if(Errno::EPERM, NEEDS_ROOT_INSIDE))
}

/// Makes the root of the mount namespace the root and the working directory of this process, out of any chroot:
/// setns(2) does so, also for the namespace that it is in. Without CAP_SYS_CHROOT it stays where it is, and so does
/// the command.
pub fn to_namespace_root() -> io::Result<()> {
    // Closed with all other descriptors at once.
    let own = ManuallyDrop::new(pidfd_open(getpid(), PidfdFlags::empty())?);
    match move_into_thread_name_spaces(own.as_fd(), ThreadNameSpaceType::MOUNT) {
        Err(io::Errno::PERM) => chdir("/"),
        moved => moved,
    }
}

/// Does something outside of the chroot that this process is in.
fn from_namespace_root(act: impl Fn() -> Result<()>) -> Result<()> {
    let open = |path| openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let (root, directory) = open("/").and_then(|root| Ok((root, open(".")?))).cannot("open the root")?;
    to_namespace_root().cannot("leave the chroot")?;
    let done = act();
    fchdir(root)
        .and_then(|()| chroot("."))
        .and_then(|()| fchdir(directory))
        .cannot("enter the chroot again")?;
    done
}

/// What this process finds at its start.
#[derive(Debug)]
pub struct Caller {
    is_alone: bool,
    /// The mount of this program's file, where it is left behind with the old root.
    pub program: Option<OwnMount>,
}

impl Caller {
    /// Looks around. Where the file of this program would stay in reach of the new root, it is started again, from a
    /// safe place: nothing that can be read only once may have been read yet.
    pub fn find() -> Result<Self> {
        let is_alone = fresh::is_alone();
        let program = if is_alone { OwnMount::find() } else { None };
        if program.is_none() {
            take_if_own()?;
        }
        Ok(Caller { is_alone, program })
    }

    /// Moves this process to namespaces of its own: a mount namespace, unless the chain has just made it one, and
    /// `others`. Cuts the ties of every mount to other namespaces; with `follow`, what is mounted there still appears
    /// here.
    ///
    /// Errors: without CAP_SYS_ADMIN, unshare(2) says EPERM.
    pub fn enter_own(&self, others: &[Kind], follow: bool) -> Result<()> {
        let mut kinds = others.to_vec();
        if !self.is_alone {
            kinds.insert(0, Kind::Mount);
        }
        if !kinds.is_empty() {
            unshare(flags(kinds.iter().copied())).map_err(|errno| no_namespace(&kinds, errno))?;
        }
        match cut_ties(follow) {
            Err(e) if e.errno() == Some(Errno::EINVAL) => from_namespace_root(|| cut_ties(follow)),
            cut => cut,
        }
        .map_err(explain_root)
    }
}

/// The cure when only root may.
pub const NEEDS_ROOT: &str =
    "run it as root, or put `unshare-rs -Urm` before it (`-Urpum` with pids and a host name)";

/// The cure in a mount namespace that the link before has made for somebody who lost all rights by becoming a command:
/// without the id 0 of a user namespace, execve(2) takes its capabilities away.
const NEEDS_ROOT_INSIDE: &str =
    "be root in the user namespace: -r of unshare-rs maps you to it, -S 0 -G 0 makes you that of --map-users";

fn no_namespace(kinds: &[Kind], errno: Errno) -> Error {
    let plural = if kinds.len() > 1 { "s" } else { "" };
    let article = if kinds.len() > 1 { "" } else { "a " };
    Error::os(format_args!("make {article}{} namespace{plural}", list(kinds)), errno)
        .hint_if(Errno::EPERM, NEEDS_ROOT)
        .hint_if(Errno::ENOSPC, "/proc/sys/user/max_*_namespaces, here or further out, limits their number")
}

/// Sets the names of this machine, in a UTS namespace that nobody else shares.
pub fn set_names(names: &Names) -> Result<()> {
    if let Some(name) = &names.host {
        sethostname(name.as_bytes()).cannot_with(|| format!("set the host name {}", show(name)))?;
    }
    if let Some(name) = &names.domain {
        setdomainname(name.as_bytes()).cannot_with(|| format!("set the domain name {}", show(name)))?;
    }
    Ok(())
}

/// Why the kernel does not let go of the present root, when it says EINVAL: a chroot, whose root is no mount point,
/// or the initial file system, pivot_root(2).
pub fn explain_root(e: Error) -> Error {
    if e.errno() != Some(Errno::EINVAL) {
        return e;
    }
    let is_mount = statx(CWD, "/", AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|stat| stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    let in_memory = statfs("/").is_ok_and(|stat| [RAMFS_MAGIC, TMPFS_MAGIC].contains(&stat.f_type));
    if !is_mount {
        Error::new("switch the root", "this process was put into a chroot, and its root is not a mount point")
            .hint("run it outside, or bind that directory to itself before the chroot: mount --bind DIR DIR")
    } else if in_memory {
        Error::new("switch the root", "the root is the kernel's initial file system, which cannot be left")
    } else {
        e
    }
}

/// This process lives in a pid namespace that is newer than /proc, or is the first of one: a /proc of its own
/// shows nothing of the old root.
pub fn has_new_pids() -> bool {
    getpid().is_init()
        || fresh::is_as_told()
        || Status::read("self").is_ok_and(|status| status.pid_depth() > 1)
}
