//! What a command sees of a network namespace in files: /sys, and what /etc/netns/NAME holds.
//!
//! /sys shows the network of whoever mounted it. So a new one is put in its place, in a mount namespace of the
//! command's own, and all that is mounted below the old one, such as control groups, moves over.

use chain::error::say;
use chain::ns::{self, Kind};
use chain::sys::process::unshare;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{CWD, StatVfsMountFlags, statfs, statvfs};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount_bind, mount_change,
    move_mount, open_tree, unmount,
};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

/// `SYSFS_MAGIC` of linux/magic.h.
const SYSFS: u64 = 0x6265_6572;

/// Makes the files of a private mount namespace fit the network namespace that this process is in.
pub fn refresh(name: &str) -> Result<()> {
    unshare(ns::flags([Kind::Mount])).cannot("make a mount namespace for the command")?;
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)
        .cannot("keep mounts of the command from others")?;
    if statfs("/sys").is_ok_and(|sys| sys.f_type as u64 == SYSFS) {
        remount_sys(name).map_err(|e| {
            e.hint(format_args!("`nsenter-rs -n/run/netns/{name} COMMAND` leaves the file system as it is"))
        })?;
    }
    bind_etc(name)
}

fn remount_sys(name: &str) -> Result<()> {
    let sys = new_sys(name)?;
    let table = fs::read_to_string("/proc/self/mountinfo").cannot("read the table of mounts")?;
    let below: Vec<(&str, OwnedFd)> = mounts_below_sys(&table)
        .into_iter()
        .map(|point| clone(point).cannot_with(|| format!("keep {point}")).map(|tree| (point, tree)))
        .collect::<Result<_>>()?;
    // Refused (EINVAL) where a more privileged mount namespace made it: the new one then covers it.
    let _ = unmount("/sys", UnmountFlags::DETACH);
    attach(&sys, "/sys").cannot("mount /sys")?;
    for (point, tree) in below {
        match attach(&tree, point) {
            Err(rustix::io::Errno::NOENT) => {}
            other => other.cannot_with(|| format!("keep {point}"))?,
        }
    }
    Ok(())
}

/// A sysfs of this network namespace, as restricted as the one in place.
fn new_sys(name: &str) -> Result<OwnedFd> {
    let old = statvfs("/sys").cannot("look at /sys")?.f_flag;
    let attributes = [
        (StatVfsMountFlags::RDONLY, MountAttrFlags::MOUNT_ATTR_RDONLY),
        (StatVfsMountFlags::NOSUID, MountAttrFlags::MOUNT_ATTR_NOSUID),
        (StatVfsMountFlags::NODEV, MountAttrFlags::MOUNT_ATTR_NODEV),
        (StatVfsMountFlags::NOEXEC, MountAttrFlags::MOUNT_ATTR_NOEXEC),
    ];
    let attributes =
        attributes.into_iter().filter(|(flag, _)| old.contains(*flag)).map(|(_, attr)| attr).collect();
    let make = || {
        let context = fsopen("sysfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_set_string(&context, "source", name)?;
        fsconfig_create(&context)?;
        fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    make().cannot("mount a /sys for the network namespace")
}

fn clone(point: &str) -> rustix::io::Result<OwnedFd> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::AT_RECURSIVE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    open_tree(CWD, point, flags)
}

fn attach(mount: &OwnedFd, point: &str) -> rustix::io::Result<()> {
    move_mount(mount, "", CWD, point, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
}

/// The mount points on the topmost /sys, from a table as proc_pid_mountinfo(5) describes it.
fn mounts_below_sys(table: &str) -> Vec<&str> {
    let mounts: Vec<(&str, &str, &str)> = table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            Some((fields.next()?, fields.next()?, fields.nth(2)?))
        })
        .collect();
    let on_sys = || mounts.iter().filter(|(_, _, point)| *point == "/sys");
    let top = on_sys().find(|(id, _, _)| on_sys().all(|(_, parent, _)| parent != id));
    let below = mounts.iter().filter(|(_, parent, _)| top.is_some_and(|(id, _, _)| parent == id));
    below.map(|(_, _, point)| *point).collect()
}

fn bind_etc(name: &str) -> Result<()> {
    let dir = Path::new("/etc/netns").join(name);
    let entries = match fs::read_dir(&dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.cannot_with(|| format!("read {}", show(&dir)))?,
    };
    for entry in entries {
        let file = entry.cannot_with(|| format!("read {}", show(&dir)))?.path();
        let target = Path::new("/etc").join(file.file_name().unwrap_or_default());
        let what = || format!("put {} in place of {}", show(&file), show(&target));
        match mount_bind(&file, &target).cannot_with(what) {
            Err(e) if matches!(e.errno(), Some(Errno::ENOENT | Errno::ENOTDIR)) => warn(&e),
            other => other?,
        }
    }
    Ok(())
}

/// As with `ip netns`, a file that has nothing to stand in for, or a directory, is told, and no reason to stop.
fn warn(e: &Error) {
    say(&format!("{e}; going on without it"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_on_sys_is_found() {
        let table = "\
21 1 0:20 / / rw - ext4 /dev/root rw
22 21 0:21 / /sys rw shared:1 master:2 - sysfs sysfs rw
23 22 0:22 / /sys/fs/cgroup rw - tmpfs none rw
24 23 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw
25 22 0:24 / /sys/fs/bpf rw - bpf none rw
26 21 0:25 / /system rw - tmpfs none rw
";
        assert_eq!(mounts_below_sys(table), ["/sys/fs/cgroup", "/sys/fs/bpf"]);
        let covered = format!(
            "{table}27 22 0:26 / /sys rw - sysfs x rw\n28 27 0:22 / /sys/fs/cgroup rw - tmpfs none rw\n"
        );
        assert_eq!(mounts_below_sys(&covered), ["/sys/fs/cgroup"]);
        assert!(mounts_below_sys("").is_empty());
    }
}
