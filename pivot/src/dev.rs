//! What a minimal /dev holds. All is made relative to the new tmpfs, so that nothing in the root can redirect it.

use crate::defaults::{DEVICES, LINKS, MQUEUE, PTS, PTS_OF_USER, SHM};
use crate::mounts::{attach_at, copy};
use chain::sys::mount::{NOEXEC, NOSUID, RDONLY, set_attributes};
use chain::{Cannot, Error, Result};
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::fs::{accessat, fstat, makedev, mkdirat, mknodat, openat, symlinkat};
use rustix::io::{self, Errno};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Fills `dev`, the tmpfs on /dev. The umask must be 0.
pub fn fill(dev: BorrowedFd<'_>) -> Result<()> {
    for device in &DEVICES {
        node(dev, device)?;
    }
    for (name, target) in LINKS {
        symlinkat(target, dev, name).cannot_with(|| format!("make the link /dev/{name}"))?;
    }
    if accessat(CWD, "/proc/kcore", Access::EXISTS, AtFlags::empty()).is_ok() {
        symlinkat("/proc/kcore", dev, "core").cannot("make the link /dev/core")?;
    }
    place(dev, "pts", pts())?;
    place(dev, "shm", SHM.make())?;
    mqueue(dev)
}

/// A user namespace, or a device cgroup, refuses to make devices: then the old root's are shown.
fn node(dev: BorrowedFd<'_>, device: &(&str, u32, u32)) -> Result<()> {
    let (name, major, minor) = *device;
    let everybody = Mode::from(0o666);
    match mknodat(dev, name, FileType::CharacterDevice, everybody, makedev(major, minor)) {
        Err(Errno::PERM) => {
            let shown = device_of_host(device)?;
            mknodat(dev, name, FileType::RegularFile, everybody, 0)
                .and_then(|()| attach_at(shown, dev, name))
                .cannot_with(|| format!("mount /dev/{name}"))
        }
        made => made.cannot_with(|| format!("make the device /dev/{name}")),
    }
}

/// A mount of one of the old root's devices, once it is certain that it is that device and no other file. The mount
/// is read-only, which keeps mode and owner of the node as they are; the device itself can be written.
pub fn device_of_host((name, major, minor): &(&str, u32, u32)) -> Result<OwnedFd> {
    let path = format!("/dev/{name}");
    let what = || format!("use the device {path}");
    let node = openat(CWD, &path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        .cannot_with(what)?;
    let stat = fstat(&node).cannot_with(what)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::CharacterDevice
        || stat.st_rdev != makedev(*major, *minor)
    {
        return Err(Error::new(what(), format_args!("it is not the character device {major}:{minor}")));
    }
    let tree = copy(&node, "").cannot_with(what)?;
    set_attributes(tree.as_fd(), RDONLY | NOSUID | NOEXEC, false).cannot_with(what)?;
    Ok(tree)
}

/// Group 5 may not exist in a user namespace.
fn pts() -> io::Result<OwnedFd> {
    match PTS.make() {
        Err(Errno::INVAL) => PTS_OF_USER.make(),
        made => made,
    }
}

/// Message queues belong to the ipc namespace. Where that is not ours to mount (a user namespace without a new ipc
/// namespace), or the kernel has none, there is no /dev/mqueue.
fn mqueue(dev: BorrowedFd<'_>) -> Result<()> {
    match MQUEUE.make() {
        Err(Errno::PERM | Errno::NODEV) => Ok(()),
        made => place(dev, "mqueue", made),
    }
}

fn place(dev: BorrowedFd<'_>, name: &str, made: io::Result<OwnedFd>) -> Result<()> {
    made.and_then(|mount| {
        mkdirat(dev, name, Mode::from(0o755))?;
        attach_at(mount, dev, name)
    })
    .cannot_with(|| format!("mount /dev/{name}"))
}
