//! What a new root gets when nothing else is said: the tables. They are Docker's, from moby's
//! daemon/pkg/oci/defaults.go.

use crate::mount::filesystem::Filesystem;
use crate::plan::{Lookup, Mount, MountOptions, Source};
use chain::resolver;
use rustix::mount::MountAttrFlags as Attr;
use std::path::Path;

/// Run when no command is given.
pub const SHELL: &str = "/bin/sh";

const NOTHING: Attr = Attr::MOUNT_ATTR_NOSUID.union(Attr::MOUNT_ATTR_NODEV).union(Attr::MOUNT_ATTR_NOEXEC);

/// /dev stands first: what hides files of /proc is its null device.
pub fn mounts() -> [Mount; 3] {
    let dev = Source::Dev { without: Vec::new() };
    [("dev", dev), ("proc", Source::Proc), ("sys", Source::Sys)].map(|(target, source)| Mount {
        target: target.into(),
        lookup: Lookup::Plain,
        source,
        options: MountOptions::default(),
    })
}

/// What a link before names in the environment, and where it is shown.
pub const HANDED_ON: [(&str, &str); 2] =
    [(resolver::HOSTS, "etc/hosts"), (resolver::RESOLV_CONF, "etc/resolv.conf")];

/// What is mounted in /dev.
pub const MOUNTS_OF_DEV: [&str; 3] = ["pts", "shm", "mqueue"];

/// Mounted on /proc. Read-only until its read-only parts are cloned from it.
pub const PROC: Filesystem =
    Filesystem { kind: "proc", attributes: NOTHING.union(Attr::MOUNT_ATTR_RDONLY), options: &[] };

/// The same with the option `pid`: there is nothing to be read-only in it.
pub const PROC_OF_PIDS: Filesystem = Filesystem { kind: "proc", attributes: NOTHING, options: &[] };

/// Mounted on /sys.
pub const SYS: Filesystem =
    Filesystem { kind: "sysfs", attributes: NOTHING.union(Attr::MOUNT_ATTR_RDONLY), options: &[] };

/// Mounted on /dev.
pub const DEV: Filesystem = Filesystem {
    kind: "tmpfs",
    attributes: Attr::MOUNT_ATTR_NOSUID.union(Attr::MOUNT_ATTR_STRICTATIME),
    options: &[("mode", "755"), ("size", "65536k")],
};

/// What `--tmpfs` mounts.
pub const TMPFS: Filesystem = Filesystem {
    kind: "tmpfs",
    attributes: Attr::MOUNT_ATTR_NOSUID.union(Attr::MOUNT_ATTR_NODEV),
    options: &[("mode", "1777")],
};

/// Laid over directories that are hidden.
pub const EMPTY: Filesystem = Filesystem {
    kind: "tmpfs",
    attributes: NOTHING.union(Attr::MOUNT_ATTR_RDONLY),
    options: &[("mode", "555")],
};

const PTS_ATTRIBUTES: Attr = Attr::MOUNT_ATTR_NOSUID.union(Attr::MOUNT_ATTR_NOEXEC);

/// Holds files from text.
pub const FILES: Filesystem = Filesystem {
    kind: "tmpfs",
    attributes: Attr::MOUNT_ATTR_NOSUID.union(Attr::MOUNT_ATTR_NODEV),
    options: &[],
};

/// Mounted on /sys/fs/cgroup where there is nothing but version 2.
pub const CGROUP2: Filesystem =
    Filesystem { kind: "cgroup2", attributes: NOTHING.union(Attr::MOUNT_ATTR_RDONLY), options: &[] };

/// Each hierarchy of version 1.
pub const CGROUP: Filesystem =
    Filesystem { kind: "cgroup", attributes: NOTHING.union(Attr::MOUNT_ATTR_RDONLY), options: &[] };

/// Holds the places for hierarchies of version 1.
pub const CGROUPS: Filesystem =
    Filesystem { kind: "tmpfs", attributes: NOTHING, options: &[("mode", "755")] };

/// Mounted on /dev/pts; each mount is an instance of its own since Linux 4.7. Group 5 is `tty` everywhere.
pub const PTS: Filesystem = Filesystem {
    kind: "devpts",
    attributes: PTS_ATTRIBUTES,
    options: &[("ptmxmode", "666"), ("mode", "620"), ("gid", "5")],
};

/// The same for a user namespace that has no group 5.
pub const PTS_OF_USER: Filesystem = Filesystem {
    kind: "devpts",
    attributes: PTS_ATTRIBUTES,
    options: &[("ptmxmode", "666"), ("mode", "620")],
};

/// Mounted on /dev/shm.
pub const SHM: Filesystem =
    Filesystem { kind: "tmpfs", attributes: NOTHING, options: &[("mode", "1777"), ("size", "65536k")] };

/// Mounted on /dev/mqueue.
pub const MQUEUE: Filesystem = Filesystem { kind: "mqueue", attributes: NOTHING, options: &[] };

/// The devices of /dev, linux/Documentation/admin-guide/devices.txt: name, major, minor.
pub const DEVICES: [(&str, u32, u32); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// The links of /dev: name, target.
pub const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
];

/// Files of /proc that tell of the host or of its hardware.
pub const HIDDEN_FILES: [&str; 7] =
    ["interrupts", "kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats"];

/// Directories of /proc that do.
pub const HIDDEN_DIRECTORIES: [&str; 3] = ["acpi", "asound", "scsi"];

/// Directories of /sys that do.
pub const HIDDEN_SYS: [&str; 2] = ["firmware", "devices/virtual/powercap"];

/// Directories of /sys that do, one for each processor: before and after its number.
pub const HIDDEN_CPU: (&str, &str) = ("devices/system/cpu/cpu", "/thermal_throttle");

/// Where those are, to be left out together.
pub const CPU: &str = "devices/system/cpu";

/// The numbers that processors can have, relative to /sys: "0-7", sysfs-devices-system-cpu.
pub const CPUS: &str = "devices/system/cpu/possible";

/// Parts of /proc that change the host.
pub const READ_ONLY: [&str; 5] = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

/// Whether something at this absolute path or below is hidden or read-only by default.
pub fn covers_below(path: &Path) -> bool {
    let of_proc = HIDDEN_FILES.iter().chain(&HIDDEN_DIRECTORIES).chain(&READ_ONLY);
    of_proc
        .map(|name| format!("/proc/{name}"))
        .chain(HIDDEN_SYS.iter().map(|name| format!("/sys/{name}")))
        .chain([format!("/sys/{CPU}")])
        .any(|covered| Path::new(&covered).starts_with(path))
}
