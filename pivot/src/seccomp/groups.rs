//! Groups of system calls that can be denied by one word. Most have the names and the content of systemd's sets.

use super::default::{NEW_NAMESPACES, rule};
use super::machine::Machine;
use super::profile::{Action, Condition, REFUSED, Rule, Test, UNKNOWN};

/// A group of calls.
pub struct Group {
    /// The name after the `@`.
    pub name: &'static str,
    /// The calls, and other groups.
    pub calls: &'static str,
}

/// All groups.
pub const GROUPS: [Group; 13] = [
    Group {
        name: "clock",
        calls: "adjtimex clock_adjtime clock_adjtime64 clock_settime clock_settime64 settimeofday stime",
    },
    Group {
        name: "debug",
        calls: "kcmp lookup_dcookie perf_event_open pidfd_getfd process_vm_readv process_vm_writev ptrace",
    },
    Group { name: "io-uring", calls: "io_uring_enter io_uring_register io_uring_setup" },
    Group { name: "keyring", calls: "add_key keyctl request_key" },
    Group { name: "module", calls: "delete_module finit_module init_module" },
    Group {
        name: "mount",
        calls: "chroot fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree open_tree_attr \
                pivot_root umount umount2",
    },
    Group { name: "namespace", calls: "setns unshare" },
    Group {
        name: "obsolete",
        calls: "_sysctl afs_syscall bdflush create_module ftime get_kernel_syms getpmsg gtty idle lock mpx \
                nfsservctl prof profil putpmsg query_module security sgetmask ssetmask stime stty sysfs \
                tuxcall ulimit uselib ustat vserver",
    },
    Group {
        name: "privileged",
        calls: "@clock @module @mount @raw-io @reboot @swap acct bpf fanotify_init nfsservctl open_by_handle_at \
                perf_event_open quotactl quotactl_fd setdomainname sethostname syslog vhangup",
    },
    Group { name: "raw-io", calls: "ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write" },
    Group { name: "reboot", calls: "kexec_file_load kexec_load reboot" },
    Group { name: "swap", calls: "swapoff swapon" },
    Group { name: "tiocsti", calls: "" },
];

/// The names of all groups, for a message.
pub fn names() -> String {
    GROUPS.map(|group| format!("@{}", group.name)).join(" ")
}

/// The rules that deny what `name` says: `@group` or a system call. None: there is no such thing.
pub fn deny(machine: &Machine, name: &str) -> Option<Vec<Rule>> {
    match name.strip_prefix('@') {
        None => machine.find(name).map(|_| vec![denied(machine, name)]),
        Some(group) => {
            let group = GROUPS.iter().find(|other| other.name == group)?;
            let parts = group.calls.split(' ').filter(|part| !part.is_empty());
            let mut rules: Vec<_> = parts.flat_map(|part| deny(machine, part).unwrap_or_default()).collect();
            rules.extend(conditional(machine, group.name));
            Some(rules)
        }
    }
}

/// clone3(2) is said not to be there, so that the C library goes back to clone(2).
fn denied(machine: &Machine, name: &str) -> Rule {
    rule(machine, name, if name == "clone3" { UNKNOWN } else { REFUSED }, None)
}

/// What a group refuses only with certain arguments.
fn conditional(machine: &Machine, group: &str) -> Vec<Rule> {
    match group {
        "namespace" => vec![
            rule(machine, "clone", REFUSED, Some(Test::AnyOf(NEW_NAMESPACES))),
            denied(machine, "clone3"),
        ],
        "tiocsti" => [TIOCSTI, TIOCLINUX].map(|request| ioctl(machine, request)).into(),
        _ => Vec::new(),
    }
}

/// asm-generic/ioctls.h; both put bytes into the terminal that the caller's parent reads.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;

/// The kernel takes 32 bits of the request; what stands in the others is not looked at (CVE-2019-10063).
fn ioctl(machine: &Machine, request: u64) -> Rule {
    let test = Test::Masked { mask: 0xffff_ffff, value: request };
    Rule {
        calls: machine.find("ioctl").into_iter().collect(),
        action: Action::Errno(1),
        conditions: vec![Condition { argument: 1, test }],
    }
}
