//! What a file must be, and what is said when it is not.

use super::*;
use crate::seccomp::explain;
use crate::seccomp::json::{is_json, profile_on};
use chain::filter;
use rustix::thread::CapabilitySet;

fn parsed(text: &str) -> Result<Profile, String> {
    profile_on(&X86_64, text.as_bytes(), CapabilitySet::empty(), "6.1.0-test")
}

/// A profile with one entry of `syscalls`.
fn with(row: &str) -> Result<Profile, String> {
    parsed(&format!(
        r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{{"names": ["read"], "action": "SCMP_ACT_TRAP"}}, {row}]}}"#
    ))
}

#[test]
fn a_profile_that_makes_no_sense_is_refused_with_the_place() {
    let table = [
        ("{", "EOF while parsing an object at line 1 column 1"),
        ("{}", "there is no defaultAction"),
        (r#"{"defaultAction": 7}"#, "defaultAction: it is not a string"),
        (r#"{"defaultAction": "ALLOW"}"#, "defaultAction: there is no action ALLOW"),
        (
            r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#,
            "defaultAction: SCMP_ACT_NOTIFY needs a program that answers each call, and pivot has none",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}"#,
            "defaultErrnoRet: it is more than 4095",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "EPREM"}"#,
            "defaultErrno: there is no error EPREM",
        ),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscall": []}"#, "the field syscall is unknown"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/x"}"#, "the field listenerPath is unknown"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}"#, "flags[0]: there is no flag X"),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86"]}"#,
            "architectures[0]: there is no architecture x86",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64"}]}"#,
            "architectures and archMap are both there",
        ),
        (r#"{"ociVersion": "1.2.0", "process": {}}"#, "it has no linux.seccomp"),
    ];
    for (text, expected) in table {
        assert_eq!(parsed(text).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn a_rule_that_makes_no_sense_is_refused_with_the_place() {
    let table = [
        ("7", "syscalls[1]: it is not an object"),
        (r#"{"action": "SCMP_ACT_ALLOW"}"#, "syscalls[1]: there are no names"),
        (r#"{"names": ["read"]}"#, "syscalls[1]: there is no action"),
        (r#"{"names": "read", "action": "SCMP_ACT_ALLOW"}"#, "syscalls[1]: names: it is not a list"),
        (
            r#"{"names": ["read"], "name": "read", "action": "SCMP_ACT_ALLOW"}"#,
            "syscalls[1]: name and names are both there",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "priority": 1}"#,
            "syscalls[1]: the field priority is unknown",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}"#,
            "syscalls[1]: args[0]: index: it is more than 5",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "=="}]}"#,
            "syscalls[1]: args[0]: op: there is no comparison ==",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0}]}"#,
            "syscalls[1]: args[0]: there is no op",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": -1, "op": "SCMP_CMP_EQ"}]}"#,
            "syscalls[1]: args[0]: value: it is not a whole number, 0 or more",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["SYS_ADMIN"]}}"#,
            "syscalls[1]: includes: caps[0]: there is no capability SYS_ADMIN",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "5"}}"#,
            "syscalls[1]: excludes: minKernel: it is not a version such as 4.8",
        ),
        (
            r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW", "excludes": {"kernel": "5.1"}}"#,
            "syscalls[1]: excludes: the field kernel is unknown",
        ),
    ];
    for (row, expected) in table {
        assert_eq!(with(row).unwrap_err(), expected, "{row}");
    }
}

#[test]
fn the_running_kernel_decides_on_rules_for_newer_ones() {
    let counts = |least: &str| {
        let row = format!(
            r#"{{"names": ["write"], "action": "SCMP_ACT_LOG", "includes": {{"minKernel": "{least}"}}}}"#
        );
        with(&row).unwrap().rules.len() == 2
    };
    let table = [
        ("4.8", true),
        ("5.19", true),
        ("6.0", true),
        ("6.1", true),
        ("6.2", false),
        ("6.10", false),
        ("10.0", false),
    ];
    for (least, expected) in table {
        assert_eq!(counts(least), expected, "{least}");
    }
}

#[test]
fn a_whole_config_json_may_be_given() {
    let seccomp = r#"{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": null}"#;
    let profile =
        parsed(&format!(r#"{{"ociVersion": "1.2.0", "linux": {{"seccomp": {seccomp}}}}}"#)).unwrap();
    assert_eq!(profile.otherwise, Action::KillProcess);
}

#[test]
fn names_of_other_machines_are_left_out_and_told() {
    let profile = with(r#"{"names": ["s390_runtime_instr", "write"], "action": "SCMP_ACT_LOG"}"#).unwrap();
    assert_eq!(profile.unknown, ["s390_runtime_instr"]);
    let lines = explain::profile(&X86_64, &profile).join("\n");
    assert!(lines.contains("left out: s390_runtime_instr"), "{lines}");
    assert!(
        lines.contains("allowed and logged: write\n") && lines.contains("answered with SIGSYS: read\n"),
        "{lines}"
    );
}

/// An instruction: its code, two jumps, its operand.
type Row = (u16, u8, u8, u32);

fn bytes(program: &[Row]) -> Vec<u8> {
    let bytes =
        |(code, yes, no, value): &Row| [&code.to_ne_bytes()[..], &[*yes, *no], &value.to_ne_bytes()].concat();
    program.iter().flat_map(bytes).collect()
}

const RETURN: Row = (0x06, 0, 0, ALLOW);
const ALLOW: u32 = 0x7fff_0000;

#[test]
fn a_program_that_the_kernel_would_refuse_is_refused_with_the_place() {
    let table: [(&[Row], &str); 11] = [
        (&[], "it is empty"),
        (&[(0x20, 0, 0, 0)], "its last instruction is no return"),
        (&[(0x20, 0, 0, 3), RETURN], "instruction 0 loads from 3, where nothing begins"),
        (&[(0x20, 0, 0, 64), RETURN], "instruction 0 loads from 64, where nothing begins"),
        (&[(0x28, 0, 0, 0), RETURN], "instruction 0 has the code 0x0028, which no seccomp filter may have"),
        (&[RETURN, (0x15, 0, 1, 0), RETURN], "instruction 1 jumps past the end"),
        (&[(0x05, 0, 0, 1), RETURN], "instruction 0 jumps past the end"),
        (&[(0x05, 0, 0, u32::MAX), RETURN], "instruction 0 jumps past the end"),
        (&[(0x34, 0, 0, 0), RETURN], "instruction 0 divides by 0"),
        (&[(0x64, 0, 0, 32), RETURN], "instruction 0 shifts 32 bits by 32"),
        (&[(0x02, 0, 0, 16), RETURN], "instruction 0 uses slot 16 of 16"),
    ];
    for (program, expected) in table {
        assert_eq!(filter::program(&bytes(program)).unwrap_err(), expected, "{program:x?}");
    }
    assert!(filter::program(&[0; 7]).unwrap_err().contains("neither JSON nor"));
    assert!(filter::program(&bytes(&[RETURN; 4096])).is_ok());
    assert_eq!(
        filter::program(&bytes(&[RETURN; 4097])).unwrap_err(),
        "it has 4097 instructions, the kernel accepts 4096"
    );
}

#[test]
fn json_is_told_from_a_program_by_its_first_character() {
    assert!(is_json(b"\n\t {") && is_json(b"{}"));
    assert!(!is_json(&bytes(&[(0x20, 0, 0, 0), RETURN])) && !is_json(b"") && !is_json(b"[]"));
}
