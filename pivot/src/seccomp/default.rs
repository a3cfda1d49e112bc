//! The built-in policy. It has the effect of Docker's default profile (moby/profiles, 2026) for 64-bit programs: what
//! that allows is written here as what it does not.

use super::machine::Machine;
use super::profile::{Action, Condition, Profile, REFUSED, Rule, Test, UNKNOWN};
use rustix::thread::CapabilitySet;

/// The newest call that was looked at when this was written. What came later is unknown to it: a program is told that
/// there is no such call.
const NEWEST: &str = "removexattrat";

/// What a program may do only with one of these capabilities, and what it may not do at all. The calls of one row serve
/// one purpose.
const KEPT_BACK: [(&str, CapabilitySet); 25] = [
    (
        "mount umount2 fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree",
        CapabilitySet::SYS_ADMIN,
    ),
    ("setns unshare sethostname setdomainname", CapabilitySet::SYS_ADMIN),
    ("fanotify_init quotactl quotactl_fd lookup_dcookie", CapabilitySet::SYS_ADMIN),
    ("lsm_get_self_attr lsm_list_modules lsm_set_self_attr", CapabilitySet::SYS_ADMIN),
    ("bpf", CapabilitySet::SYS_ADMIN.union(CapabilitySet::BPF)),
    ("perf_event_open", CapabilitySet::SYS_ADMIN.union(CapabilitySet::PERFMON)),
    ("syslog", CapabilitySet::SYS_ADMIN.union(CapabilitySet::SYSLOG)),
    ("init_module finit_module delete_module", CapabilitySet::SYS_MODULE),
    ("clock_settime settimeofday", CapabilitySet::SYS_TIME),
    ("kcmp pidfd_getfd process_madvise", CapabilitySet::SYS_PTRACE),
    ("get_mempolicy mbind set_mempolicy set_mempolicy_home_node", CapabilitySet::SYS_NICE),
    ("open_by_handle_at", CapabilitySet::DAC_READ_SEARCH),
    ("acct", CapabilitySet::SYS_PACCT),
    ("chroot", CapabilitySet::SYS_CHROOT),
    ("ioperm iopl", CapabilitySet::SYS_RAWIO),
    ("reboot", CapabilitySet::SYS_BOOT),
    ("vhangup", CapabilitySet::SYS_TTY_CONFIG),
    ("pivot_root swapon swapoff kexec_load kexec_file_load", NOBODY),
    ("add_key keyctl request_key", NOBODY),
    ("io_uring_enter io_uring_register io_uring_setup", NOBODY),
    ("userfaultfd uprobe", NOBODY),
    ("migrate_pages move_pages", NOBODY),
    ("sysfs ustat uselib", NOBODY),
    ("_sysctl create_module get_kernel_syms nfsservctl query_module", NOBODY),
    ("afs_syscall getpmsg putpmsg security tuxcall vserver", NOBODY),
];

const NOBODY: CapabilitySet = CapabilitySet::empty();

/// The address families that a socket may not be of, linux/socket.h: what is long gone (DECnet, Econet, ATM, IrDA,
/// WANPIPE, ISDN, CAIF), the kernel's ciphers (AF_ALG, CVE-2026-31431), and the host's virtual machines (AF_VSOCK).
/// 46 and all after it are newer than this list.
const FAMILIES: [Test; 10] = [
    Test::Eq(12),
    Test::Eq(19),
    Test::Eq(20),
    Test::Eq(23),
    Test::Eq(25),
    Test::Eq(34),
    Test::Eq(37),
    Test::Eq(38),
    Test::Eq(40),
    Test::Ge(46),
];

/// What personality(2) may be told: Linux, Linux for 32 bits (PER_LINUX32), either with the version shown as 2.6
/// (UNAME26), or nothing but what it is.
const PERSONALITIES: [u64; 5] = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: linux/sched.h.
pub const NEW_NAMESPACES: u64 = 0x7e02_0000;

/// The policy for a program with these capabilities.
pub fn profile(machine: &'static Machine, capabilities: CapabilitySet) -> Profile {
    let rule = |names, action, test| rule(machine, names, action, test);
    let refused = |names| rule(names, REFUSED, None);
    let mut first: Vec<_> = KEPT_BACK
        .iter()
        .filter(|(_, keys)| !capabilities.intersects(*keys))
        .map(|(names, _)| refused(names))
        .collect();
    if !capabilities.contains(CapabilitySet::SYS_ADMIN) {
        first.push(rule("clone", REFUSED, Some(Test::AnyOf(NEW_NAMESPACES))));
        first.push(rule("clone3", UNKNOWN, None));
    }
    first.extend(FAMILIES.map(|family| rule("socket", REFUSED, Some(family))));
    first.extend(PERSONALITIES.map(|value| rule("personality", Action::Allow, Some(Test::Eq(value)))));
    first.push(refused("personality"));
    let all =
        Rule { calls: machine.syscalls.iter().collect(), action: Action::Allow, conditions: Vec::new() };
    let newest = machine.find(NEWEST);
    Profile { first, rules: vec![all], newest, compat: false, ..Profile::new(REFUSED) }
}

/// A rule for calls of which a machine may lack some.
pub fn rule(machine: &Machine, names: &str, action: Action, first_argument: Option<Test>) -> Rule {
    Rule {
        calls: names.split(' ').filter_map(|name| machine.find(name)).collect(),
        action,
        conditions: first_argument.map(|test| Condition { argument: 0, test }).into_iter().collect(),
    }
}
