//! A mount namespace that nobody else shares.

use chain::process::Status;
use chain::{Cannot, Error, Result, fresh};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, CWD, FsWord, Mode, OFlags, StatxAttributes, StatxFlags, openat, statfs, statx};
use rustix::io;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{PidfdFlags, chdir, chroot, fchdir, getpid, pidfd_open};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::mem::ManuallyDrop;
use std::os::fd::AsFd;

/// linux/magic.h
const RAMFS_MAGIC: FsWord = 0x8584_58f6;
/// linux/magic.h
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Moves this process to a mount namespace of its own, unless the chain has just made it one, and cuts the ties of
/// every mount in it to other namespaces.
///
/// Errors: without CAP_SYS_ADMIN, unshare(2) says EPERM.
pub fn own_mounts() -> Result<()> {
    if !fresh::is_alone() {
        unshare(CloneFlags::CLONE_NEWNS).map_err(no_namespace)?;
    }
    match make_private() {
        Err(e) if e.errno() == Some(Errno::EINVAL) => from_namespace_root(make_private),
        made => made,
    }
    .map_err(explain_root)
}

/// Cuts the ties of all mounts below `/` to other namespaces.
pub fn make_private() -> Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).cannot("make the mounts private")
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

fn no_namespace(errno: Errno) -> Error {
    Error::os("make a mount namespace", errno)
        .hint_if(
            Errno::EPERM,
            "run it as root, or put `unshare-rs -Urm` before it (`-Urpum` with pids and a host name)",
        )
        .hint_if(Errno::ENOSPC, "/proc/sys/user/max_mnt_namespaces, here or further out, limits their number")
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
