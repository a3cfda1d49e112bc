//! What helps a user whom the kernel has refused something.

use crate::hierarchy::{Hierarchy, Version};
use chain::text::show;
use std::path::Path;

/// Who may make groups, and how to become one of them.
pub fn permission() -> String {
    if rustix::process::geteuid().is_root() {
        return CONTAINER.to_owned();
    }
    format!("run as root, or {}", delegation().replacen("as root: ", "as root once: ", 1))
}

/// Why root may make no group.
pub const CONTAINER: &str = "the cgroup file system is read-only or another's, as in most containers";

/// Who may move a process into a group: cgroups(7), "Delegation containment rules".
pub fn boundary(is_v2: bool) -> String {
    if !is_v2 || rustix::process::geteuid().is_root() {
        return permission();
    }
    let why = "one who is not root needs to own cgroup.procs there and in the nearest group above both";
    match systemd_line() {
        Some(line) => format!("{why}; start in a delegated group: {line}"),
        None => format!("{why}; as root: cgctl delegate GROUP USER"),
    }
}

/// Where a controller stops on its way down from the top.
pub fn controllers() -> String {
    match systemd_line() {
        Some(line) if !rustix::process::geteuid().is_root() => line,
        _ => "the owner of the groups above enables it in their cgroup.subtree_control".to_owned(),
    }
}

/// How a group comes to have no process of its own.
pub fn company() -> String {
    match systemd_line() {
        Some(line) if !rustix::process::geteuid().is_root() => format!("{line}, or with --evacuate"),
        _ => "with --evacuate its processes are moved to a group cgctl.leaf inside it".to_owned(),
    }
}

/// EAGAIN of mkdir(2), cgroup-v2.rst.
pub const NO_MORE_HERE: &str =
    "its limit descendants or depth is reached: `cgctl get` shows it, `cgctl set` changes it";

/// ENOSPC of mkdir(2): the ids of memory groups, dying ones included, end at 65535.
pub const NO_MORE_AT_ALL: &str =
    "the kernel can have no more groups; `cgctl gc` removes those that nobody owns";

/// How a user without rights comes to a group to make groups in.
pub fn delegation() -> String {
    match systemd_line() {
        Some(line) => line,
        None => {
            let user = rustix::process::getuid().as_raw();
            let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
            format!(
                "as root: cgctl new user-{user} && cgctl delegate user-{user} {user} && cgctl move user-{user} {parent}"
            )
        }
    }
}

/// How a container comes to a controller.
pub const FROM_OUTSIDE: &str = "outside, the group of this container needs the controller: any limit of its kind will do, as m=max or pids=max";

/// How any hierarchy comes to be there.
pub const MOUNT: &str = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";

/// How a hierarchy comes to be seen from here.
pub fn mount(hierarchy: &Hierarchy) -> String {
    match hierarchy.version {
        Version::V2 => "mount -t cgroup2 cgroup2 DIRECTORY".to_owned(),
        Version::V1 => format!("mount -t cgroup -o {} cgroup DIRECTORY", hierarchy.controllers.join(",")),
    }
}

/// How a user of systemd comes to more controllers, <https://systemd.io/CGROUP_DELEGATION>.
pub const MORE_CONTROLLERS: &str = "as root: mkdir -p /etc/systemd/system/user@.service.d && \
    printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf && \
    systemctl daemon-reload, and log in again";

fn systemd_line() -> Option<String> {
    let this = std::env::args_os().skip(1).map(show).collect::<Vec<_>>().join(" ");
    runs_systemd().then(|| format!("systemd-run --user --scope -p Delegate=yes cgctl {this}"))
}

/// systemd is the init here: sd_booted(3).
pub fn runs_systemd() -> bool {
    Path::new("/run/systemd/system").exists()
}
