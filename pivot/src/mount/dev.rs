//! What a minimal /dev holds. All is made relative to the new tmpfs, so that nothing in the root can redirect it.

use crate::defaults::{DEVICES, LINKS, MOUNTS_OF_DEV, MQUEUE, PTS, PTS_OF_USER, SHM};
use crate::mount::filesystem::Refusal;
use crate::mount::{attach_at, copy};
use crate::plan::MountOptions;
use chain::sys::mount::{NOEXEC, NOSUID, RDONLY, set_attributes};
use chain::{Cannot, Error, Result};
use rustix::fs::{Access, AtFlags, CWD, FileType, Mode, OFlags};
use rustix::fs::{accessat, fstat, makedev, mkdirat, mknodat, openat, symlinkat};
use rustix::io::Errno;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Fills `dev`, the tmpfs on /dev; what is mounted at the names of `without` comes in a step of its own. The umask
/// must be 0.
pub fn fill(dev: BorrowedFd<'_>, without: &[&str]) -> Result<()> {
    for device in &DEVICES {
        node(dev, device)?;
    }
    for (name, target) in LINKS {
        symlinkat(target, dev, name).cannot_with(|| format!("make the link /dev/{name}"))?;
    }
    if accessat(CWD, "/proc/kcore", Access::EXISTS, AtFlags::empty()).is_ok() {
        symlinkat("/proc/kcore", dev, "core").cannot("make the link /dev/core")?;
    }
    for name in MOUNTS_OF_DEV.iter().filter(|name| !without.contains(name)) {
        match filesystem(name) {
            Err(refusal) if *name == "mqueue" && has_no_queues(&refusal) => {}
            made => place(dev, name, made)?,
        }
    }
    Ok(())
}

fn filesystem(name: &str) -> Result<OwnedFd, Refusal> {
    match name {
        "pts" => terminals(&MountOptions::default()),
        "shm" => SHM.make(),
        _ => MQUEUE.make(),
    }
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

/// New terminals. Group 5 may not exist in a user namespace; what the user says counts.
pub fn terminals(options: &MountOptions) -> Result<OwnedFd, Refusal> {
    match PTS.make_with(options) {
        Err(Refusal { errno: Errno::INVAL, .. }) => PTS_OF_USER.make_with(options),
        made => made,
    }
}

/// Message queues belong to the ipc namespace. Where that is not ours to mount (a user namespace without a new ipc
/// namespace), or the kernel has none, there is no /dev/mqueue.
fn has_no_queues(refusal: &Refusal) -> bool {
    matches!(refusal.errno, Errno::PERM | Errno::NODEV)
}

fn place(dev: BorrowedFd<'_>, name: &str, made: Result<OwnedFd, Refusal>) -> Result<()> {
    let what = || format!("mount /dev/{name}");
    let mount = made.map_err(|refusal| refusal.error(what()))?;
    mkdirat(dev, name, Mode::from(0o755)).and_then(|()| attach_at(mount, dev, name)).cannot_with(what)
}
