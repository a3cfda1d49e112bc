//! libseccomp, for the same file, gives the same verdicts: what Docker, podman and runc would do.

use super::*;
use crate::seccomp::json;
use chain::filter;
use rustix::thread::CapabilitySet;
use std::path::Path;
use std::process::Command;

const KERNEL: &str = "6.18";

/// The program that libseccomp makes, and the names that it does not know.
fn theirs(path: &Path, machine: &Machine, capabilities: CapabilitySet) -> (Vec<Instruction>, Vec<String>) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/seccomp/tests/libseccomp.py");
    let names = capabilities.iter_names().map(|(name, _)| format!("CAP_{name}"));
    let output = Command::new("/usr/bin/python3")
        .arg(script)
        .arg(path)
        .args([machine.name, KERNEL])
        .args(names)
        .output()
        .unwrap();
    let names = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{names}");
    (filter::program(&output.stdout).unwrap(), names.lines().map(str::to_owned).collect())
}

/// What is known to differ, and meant to.
fn differs(profile: &Profile, unknown: &[u32], call: Call<'_>, theirs: u32) -> bool {
    // x32 is said to be unknown, as by any kernel that was not told to have it.
    let x32 = call.abi.foreign.is_some_and(|foreign| call.number >= foreign);
    // What is newer than the profile: runc puts a program of its own before libseccomp's for it.
    let newer = newest(call.abi, profile).is_some_and(|newest| call.number > newest);
    // 32-bit programs of which the profile does not speak: libseccomp kills the thread, this the process.
    let is_compat = call.abi.width != u64::MAX;
    let killed = !profile.compat && is_compat && theirs == Action::KillThread.value();
    // A call that is allowed with certain arguments is allowed by libseccomp with any when it goes through
    // socketcall(2).
    let unseen = call.abi.multiplexed && call.number == SOCKETCALL && call.arguments[0] == SOCKET;
    // What this libseccomp is too old for.
    x32 || newer || killed || unseen || unknown.contains(&call.number)
}

const SOCKETCALL: u32 = 102;
const SOCKET: u64 = 1;

fn compare(path: &Path, machine: &'static Machine, capabilities: CapabilitySet) -> usize {
    let bytes = std::fs::read(path).unwrap();
    let profile = json::profile_on(machine, &bytes, capabilities, KERNEL).unwrap();
    let ours = super::super::compile::compile(machine, &profile);
    let (theirs, unknown) = theirs(path, machine, capabilities);
    let numbers = |abi: &Abi| -> Vec<u32> {
        unknown.iter().filter_map(|name| abi.number(machine.find(name)?)).collect()
    };
    let unknown = [numbers(&machine.native), numbers(&machine.compat)];
    let mut compared = 0;
    for call in calls(machine, &profile) {
        let expected = answer(&theirs, call);
        let unknown = &unknown[usize::from(call.abi.width != u64::MAX)];
        if !differs(&profile, unknown, call, expected) {
            assert_eq!(answer(&ours, call), expected, "{} {} {call:x?}", path.display(), machine.name);
            compared += 1;
        }
    }
    eprintln!(
        "{} {}: {} instructions, libseccomp {}, {compared} calls",
        path.display(),
        machine.name,
        ours.len(),
        theirs.len()
    );
    compared
}

const MACHINES: [&Machine; 2] = [&X86_64, &AARCH64];

fn capability_sets() -> [CapabilitySet; 5] {
    let podman = CapabilitySet::CHOWN | CapabilitySet::SYS_CHROOT | CapabilitySet::KILL;
    [
        CapabilitySet::empty(),
        podman,
        podman | CapabilitySet::SYS_ADMIN,
        CapabilitySet::DAC_READ_SEARCH
            | CapabilitySet::SYS_PTRACE
            | CapabilitySet::SYSLOG
            | CapabilitySet::BPF,
        CapabilitySet::from_bits_truncate((1 << 41) - 1),
    ]
}

#[test]
fn a_profile_with_all_actions_and_comparisons_means_what_it_means_to_libseccomp() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/seccomp/tests/every.json");
    for machine in MACHINES {
        for capabilities in capability_sets() {
            assert!(compare(&path, machine, capabilities) > 2_500);
        }
    }
}

#[test]
fn podmans_profile_means_what_it_means_to_libseccomp() {
    let path = Path::new("/usr/share/containers/seccomp.json");
    for machine in MACHINES {
        for capabilities in capability_sets() {
            assert!(compare(path, machine, capabilities) > 2_500);
        }
    }
}
