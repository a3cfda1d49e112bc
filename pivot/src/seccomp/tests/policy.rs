//! The built-in policy and the groups.

use super::*;
use crate::seccomp::compile::{compile, multiplex};
use crate::seccomp::profile::REFUSED;
use crate::seccomp::{default, groups};
use rustix::thread::CapabilitySet;

const MACHINES: [&Machine; 2] = [&X86_64, &AARCH64];

/// What a program answers to a call by name; None where the ABI does not have it.
fn verdict(program: &[Instruction], machine: &Machine, abi: &Abi, name: &str, first: u64) -> Option<u32> {
    let number = abi.number(machine.find(name)?)?;
    Some(answer(program, Call { abi, number, arguments: [first, 0, 0, 0, 0, 0] }))
}

/// The default's answer for a program with these capabilities.
fn by_default(machine: &'static Machine, capabilities: CapabilitySet, name: &str, first: u64) -> Option<u32> {
    let program = compile(machine, &default::profile(machine, capabilities));
    verdict(&program, machine, &machine.native, name, first)
}

fn none() -> CapabilitySet {
    CapabilitySet::empty()
}

const ALLOWED: u32 = 0x7fff_0000;

/// What the pages on Docker's default profile say that it blocks.
const BLOCKED: &str = "acct add_key bpf clock_settime create_module delete_module finit_module get_kernel_syms \
    get_mempolicy init_module io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind \
    mount move_mount move_pages nfsservctl open_by_handle_at perf_event_open pivot_root query_module quotactl reboot \
    request_key set_mempolicy setns settimeofday swapoff swapon sysfs umount2 unshare uselib userfaultfd ustat";

#[test]
fn the_default_refuses_what_docker_is_documented_to_refuse() {
    for machine in MACHINES {
        for name in BLOCKED.split_whitespace() {
            let answer = by_default(machine, none(), name, 0);
            assert!([None, Some(REFUSED.value())].contains(&answer), "{} {name}: {answer:x?}", machine.name);
        }
    }
}

#[test]
fn the_default_opens_to_a_capability_what_it_is_for() {
    let table = [
        (
            CapabilitySet::SYS_ADMIN,
            "mount umount2 unshare setns bpf perf_event_open syslog clone3 sethostname",
        ),
        (CapabilitySet::SYS_CHROOT, "chroot"),
        (CapabilitySet::SYS_PTRACE, "kcmp pidfd_getfd process_madvise"),
        (CapabilitySet::DAC_READ_SEARCH, "open_by_handle_at"),
        (CapabilitySet::SYS_NICE, "mbind get_mempolicy set_mempolicy"),
        (CapabilitySet::SYS_MODULE, "init_module finit_module delete_module"),
        (CapabilitySet::SYS_TIME, "settimeofday clock_settime"),
        (CapabilitySet::SYSLOG, "syslog"),
        (CapabilitySet::BPF, "bpf"),
        (CapabilitySet::PERFMON, "perf_event_open"),
    ];
    for machine in MACHINES {
        for (capability, names) in table {
            for name in names.split(' ') {
                let refused = if name == "clone3" { UNKNOWN } else { REFUSED };
                assert_eq!(
                    by_default(machine, !capability, name, 0),
                    Some(refused.value()).filter(|_| !is_shared(name)).or(Some(ALLOWED)),
                    "{name}"
                );
                assert_eq!(by_default(machine, capability, name, 0), Some(ALLOWED), "{name}");
            }
        }
    }
}

/// Another capability opens these as well.
fn is_shared(name: &str) -> bool {
    ["bpf", "perf_event_open", "syslog"].contains(&name)
}

#[test]
fn the_default_looks_at_families_personalities_and_namespaces() {
    let families = [0..=11, 13..=18, 21..=22, 24..=24, 26..=33, 35..=36, 39..=39, 41..=45];
    for machine in MACHINES {
        let program = compile(machine, &default::profile(machine, none()));
        let allows = |name, first| verdict(&program, machine, &machine.native, name, first) == Some(ALLOWED);
        for family in (0..300).chain([u64::from(u32::MAX), 1 << 32 | 2, u64::MAX]) {
            let expected = families.iter().any(|range| range.contains(&family));
            assert_eq!(allows("socket", family), expected, "{family}");
        }
        let personalities = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];
        for value in
            (0..64).map(|bit| 1 << bit).chain(0..20).chain([0x2_0000, 0x2_0008, 0xffff_ffff, u64::MAX])
        {
            assert_eq!(allows("personality", value), personalities.contains(&value), "{value:x}");
        }
        for bit in 0..64 {
            let is_namespace = default::NEW_NAMESPACES & 1 << bit != 0;
            assert_eq!(allows("clone", 1 << bit | 17), !is_namespace, "{bit}");
        }
    }
}

#[test]
fn the_default_allows_no_more_calls_than_were_looked_at() {
    for (machine, expected) in [(&X86_64, 308), (&AARCH64, 266)] {
        let program = compile(machine, &default::profile(machine, none()));
        let at = |abi, number| answer(&program, Call { abi, number, arguments: [0; 6] });
        let allowed = (0..1024).filter(|number| at(&machine.native, *number) == ALLOWED).count();
        assert_eq!(allowed, expected, "the tables have grown: is it all meant to be allowed?");
        assert!(program.len() < 95, "{}", program.len());
        assert_eq!(at(&machine.native, 466), ALLOWED, "removexattrat");
        for unknown in [467, 999, 0x4000_0000, 0x4000_0001, u32::MAX] {
            assert_eq!(at(&machine.native, unknown), UNKNOWN.value(), "{unknown:x}");
        }
        assert_eq!(at(&machine.compat, 1), Action::KillProcess.value());
    }
}

#[test]
fn a_group_refuses_its_calls_to_all_programs_and_no_others() {
    for machine in MACHINES {
        for group in &groups::GROUPS {
            let mut profile = Profile::new(Action::Allow);
            profile.first = groups::deny(machine, &format!("@{}", group.name)).unwrap();
            multiplex(machine, &mut profile.first);
            let program = compile(machine, &profile);
            for (abi, call) in [&machine.native, &machine.compat]
                .into_iter()
                .flat_map(|abi| machine.syscalls.iter().map(move |call| (abi, call)))
            {
                let Some(number) = abi.number(call) else { continue };
                let named = profile
                    .first
                    .iter()
                    .find(|rule| rule.conditions.is_empty() && rule.calls.contains(&call));
                let expected = named.map_or(Action::Allow, |rule| rule.action);
                let answer = answer(&program, Call { abi, number, arguments: [0; 6] });
                assert_eq!(answer, expected.value(), "@{} {}", group.name, call.name);
            }
        }
    }
}

#[test]
fn all_that_a_group_names_is_a_call_of_some_machine() {
    for name in groups::GROUPS.iter().flat_map(|group| group.calls.split_whitespace()) {
        assert!(MACHINES.iter().any(|machine| groups::deny(machine, name).is_some()), "{name}");
    }
}

#[test]
fn input_for_a_terminal_is_refused_whatever_else_the_request_says() {
    let mut profile = Profile::new(Action::Allow);
    profile.first = groups::deny(&X86_64, "@tiocsti").unwrap();
    let program = compile(&X86_64, &profile);
    for (abi, number) in [(&X86_64.native, 16), (&X86_64.compat, 54)] {
        for (request, refused) in [
            (0x5412, true),
            (0x541c, true),
            (0x1_0000_5412, true),
            (u64::MAX << 32 | 0x541c, true),
            (0x5413, false),
            (0x5401, false),
            (0x5412 << 32, false),
        ] {
            let answer = answer(&program, Call { abi, number, arguments: [0, request, 0, 0, 0, 0] });
            assert_eq!(answer == REFUSED.value(), refused, "{request:x}");
        }
    }
}

#[test]
fn what_is_denied_by_name_cannot_be_reached_through_a_multiplexer() {
    let mut profile = Profile::new(Action::Allow);
    profile.first =
        [groups::deny(&X86_64, "socket").unwrap(), groups::deny(&X86_64, "shmget").unwrap()].concat();
    multiplex(&X86_64, &mut profile.first);
    let program = compile(&X86_64, &profile);
    let refused = |number, first| {
        answer(&program, Call { abi: &X86_64.compat, number, arguments: [first, 0, 0, 0, 0, 0] })
            == REFUSED.value()
    };
    assert!(refused(359, 2) && refused(102, 1) && !refused(102, 2), "socket, socketcall");
    assert!(refused(117, 23) && refused(117, 1 << 16 | 23) && !refused(117, 3), "ipc");
}

#[test]
fn what_is_refused_with_certain_arguments_is_refused_where_they_cannot_be_seen() {
    let socket = |action, family| Rule {
        calls: vec![X86_64.find("socket").unwrap()],
        action,
        conditions: vec![Condition { argument: 0, test: Test::Eq(family) }],
    };
    let table = [
        (Action::Allow, REFUSED, REFUSED),
        // Not allowed with any argument because it is allowed with some.
        (REFUSED, Action::Allow, REFUSED),
    ];
    for (otherwise, action, expected) in table {
        let mut profile = Profile::new(otherwise);
        profile.rules = vec![socket(action, 38)];
        profile.newest = X86_64.find("removexattrat");
        multiplex(&X86_64, &mut profile.rules);
        let program = compile(&X86_64, &profile);
        let call = Call { abi: &X86_64.compat, number: 102, arguments: [1, 0, 0, 0, 0, 0] };
        assert_eq!(answer(&program, call), expected.value());
    }
}

#[test]
fn what_is_denied_cannot_be_reached_as_x32() {
    let mut profile = Profile::new(Action::Allow);
    profile.first = groups::deny(&X86_64, "@mount").unwrap();
    let program = compile(&X86_64, &profile);
    for number in [165, 0, 512, 0x3fff_ffff] {
        let call = Call { abi: &X86_64.native, number: 0x4000_0000 | number, arguments: [0; 6] };
        assert_eq!(answer(&program, call), UNKNOWN.value());
    }
}
