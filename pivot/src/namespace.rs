//! A mount namespace that nobody else shares.

use chain::process::Status;
use chain::shelter::{OwnMount, take_if_own};
use chain::{Cannot, Error, Result, fresh};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{AtFlags, CWD, FsWord, StatxAttributes, StatxFlags, statfs, statx};
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::getpid;

/// linux/magic.h
const RAMFS_MAGIC: FsWord = 0x8584_58f6;
/// linux/magic.h
const TMPFS_MAGIC: FsWord = 0x0102_1994;

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

    /// Moves this process to a mount namespace of its own, unless the chain has just made it one, and cuts the ties
    /// of every mount in it to other namespaces.
    ///
    /// Errors: without CAP_SYS_ADMIN, unshare(2) says EPERM.
    pub fn own_mounts(&self) -> Result<()> {
        if !self.is_alone {
            unshare(CloneFlags::CLONE_NEWNS).map_err(no_namespace)?;
        }
        let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
        mount_change("/", private).cannot("make the mounts private").map_err(explain_root)
    }
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
