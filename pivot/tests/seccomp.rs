//! Filters of system calls, from inside: what is refused, how, and to whom.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_arch = "x86_64")]

use std::fs;
use tests::{Sandbox, each};

const PLAIN: &str = "unshare-rs -pumin pivot";
const DEFAULT: &str = "unshare-rs -pumin pivot --seccomp default";

/// What comes of a call by its number.
fn attempt(sandbox: &Sandbox, link: &str, call: &str) -> String {
    sandbox.run(&format!("{link} rootfs probe try {call}")).done().is(0).quiet().text()
}

/// How many filters a command is held to, and what else /proc says.
fn status(sandbox: &Sandbox, link: &str, field: &str) -> String {
    let report = sandbox.run(&format!("{link} rootfs probe report")).done().is(0).json();
    report["status"][field].as_str().unwrap().to_owned()
}

/// Calls that the kernel lets root make, or refuses with another error than a filter would.
const GET_MEMPOLICY: &str = "call 239";
const KEYCTL: &str = "call 250 0 18446744073709551613 0";
const IO_URING_SETUP: &str = "call 425 0";
const USERFAULTFD: &str = "call 323 4294967295";
const PERSONALITY: &str = "call 135";
const CLONE3: &str = "call 435 0 0";
const OPEN_TREE_ATTR: &str = "call 467";
const NOT_THERE_YET: &str = "call 999";
const X32_GETPID: &str = "call 1073741863";
const GETPID_32: &str = "call32 20";

#[test]
fn the_default_refuses_what_docker_refuses_and_lets_programs_work() {
    let Some(sandbox) = Sandbox::root() else { return };
    let without = format!("{DEFAULT} --cap-drop sys_admin,sys_nice");
    let rows = [
        (&*without, GET_MEMPOLICY, "EPERM"),
        (DEFAULT, GET_MEMPOLICY, "ok"),
        (DEFAULT, KEYCTL, "EPERM"),
        (DEFAULT, IO_URING_SETUP, "EPERM"),
        (DEFAULT, USERFAULTFD, "EPERM"),
        (DEFAULT, "socket 38", "EPERM"),
        (DEFAULT, &format!("{PERSONALITY} 4294967295"), "ok"),
        (DEFAULT, &format!("{PERSONALITY} 0"), "ok"),
        (DEFAULT, &format!("{PERSONALITY} 1"), "EPERM"),
        (DEFAULT, CLONE3, "EINVAL"),
        (&without, CLONE3, "ENOSYS"),
        (DEFAULT, "mount tmpfs /tmp", "ok"),
        (&without, "mount tmpfs /tmp", "EPERM"),
        (&without, "unshare", "EPERM"),
    ];
    each(rows, |(link, call, expected)| {
        assert_eq!(attempt(&sandbox, link, call), expected, "{link}: {call}");
    });
    for call in [GET_MEMPOLICY, KEYCTL, IO_URING_SETUP, USERFAULTFD] {
        assert_ne!(attempt(&sandbox, PLAIN, call), "EPERM", "{call} without a filter");
    }
    let script =
        "ls /bin | wc -l; sleep 0 & wait; (echo x | cat); test -d /proc; dd if=/dev/zero bs=1 count=1";
    sandbox.run(&format!("{without} rootfs sh -c")).arg(script).done().is(0);
}

#[test]
fn what_the_filter_does_not_know_is_said_not_to_be_there() {
    let Some(sandbox) = Sandbox::root() else { return };
    for call in [OPEN_TREE_ATTR, NOT_THERE_YET, X32_GETPID] {
        assert_eq!(attempt(&sandbox, DEFAULT, call), "ENOSYS", "{call}");
    }
    assert_ne!(attempt(&sandbox, PLAIN, OPEN_TREE_ATTR), "ENOSYS");
}

#[test]
fn a_32_bit_call_kills_unless_the_policy_speaks_of_32_bit_programs() {
    const KILLED_BY_SIGSYS: i32 = 128 + 31;
    let Some(sandbox) = Sandbox::root() else { return };
    if attempt(&sandbox, PLAIN, GETPID_32) != "ok" {
        return tests::skip("the kernel runs no 32-bit programs");
    }
    sandbox.run(&format!("{DEFAULT} rootfs probe try {GETPID_32}")).done().is(KILLED_BY_SIGSYS);
    let podman = format!("{PLAIN} --seccomp /usr/share/containers/seccomp.json");
    assert_eq!(attempt(&sandbox, &podman, GETPID_32), "ok");
    // The number of umount2(2) is 52 there.
    let denied = format!("{PLAIN} --seccomp-deny @mount");
    assert_eq!(attempt(&sandbox, &denied, GETPID_32), "ok");
    assert_eq!(attempt(&sandbox, &denied, "call32 52"), "EPERM");
    assert_ne!(attempt(&sandbox, PLAIN, "call32 52"), "EPERM");
}

#[test]
fn groups_and_names_are_denied_whatever_the_policy_says() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("--seccomp-deny @mount", "mount tmpfs /tmp", "EPERM"),
        ("--seccomp-deny @mount", "umount /proc", "EPERM"),
        ("--seccomp-deny @keyring,mount", "mount tmpfs /tmp", "EPERM"),
        ("--seccomp-deny @keyring --seccomp-deny mount", "mount tmpfs /tmp", "EPERM"),
        ("--seccomp default --seccomp-deny @namespace", "unshare", "EPERM"),
        ("--seccomp none --seccomp-deny @namespace", CLONE3, "ENOSYS"),
        ("--seccomp-deny @keyring", "mount tmpfs /tmp", "ok"),
        ("--seccomp-deny @clock --seccomp none", "mount tmpfs /tmp", "ok"),
    ];
    each(rows, |(options, call, expected)| {
        assert_eq!(attempt(&sandbox, &format!("{PLAIN} {options}"), call), expected, "{options}: {call}");
    });
}

#[test]
fn the_last_policy_counts() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("--seccomp default --seccomp none", "0"),
        ("--seccomp none --seccomp default", "2"),
        ("--seccomp missing --seccomp none", "0"),
    ];
    each(rows, |(options, mode)| {
        assert_eq!(status(&sandbox, &format!("{PLAIN} {options}"), "Seccomp"), mode, "{options}");
    });
}

#[test]
fn a_filter_holds_for_what_comes_after_and_another_comes_on_top() {
    let Some(sandbox) = Sandbox::root() else { return };
    assert_eq!(status(&sandbox, DEFAULT, "Seccomp_filters"), "1");
    assert_eq!(status(&sandbox, &format!("{DEFAULT} --seccomp-deny @mount"), "Seccomp_filters"), "1");
    let tools = tests::bin("pivot");
    let tools = tools.parent().unwrap().display();
    let inner =
        format!("--bind {tools}:/tmp/bin --bind rootfs:/tmp/root rootfs /tmp/bin/pivot --seccomp default");
    let outer = format!("{PLAIN} --seccomp-deny @clock --tmpfs /tmp {inner} /tmp/root probe report");
    let report = sandbox.run(&outer).done().is(0).json();
    assert_eq!(report["status"]["Seccomp_filters"], "2");
    let nested = format!("{DEFAULT} rootfs sh -c");
    let calls = "probe try call 425 0; sh -c 'probe try call 425 0'; env -i /bin/probe try call 425 0";
    assert_eq!(sandbox.run(&nested).arg(calls).done().is(0).text(), "EPERM\nEPERM\nEPERM");
}

/// A profile that allows all but what it refuses in different ways.
const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
    {"names": ["setdomainname"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["syslog"], "action": "SCMP_ACT_TRAP"},
    {"names": ["sync"], "action": "SCMP_ACT_TRACE"},
    {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7, "args": [
        {"index": 0, "value": 4294967295, "valueTwo": 4294967295, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5, "excludes": {"caps": ["CAP_SYS_NICE"]}}
]}"#;

#[test]
fn a_profile_has_its_own_answers() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("own.json", PROFILE, 0o644);
    sandbox.file(
        "config.json",
        format!(r#"{{"ociVersion": "1.2.0", "linux": {{"seccomp": {PROFILE}}}}}"#),
        0o644,
    );
    for file in ["own.json", "config.json"] {
        let link = format!("{PLAIN} --seccomp {file}");
        let rows = [
            ("", "call 170", "EROFS"),
            ("", "call 162", "ENOSYS"),
            ("", "call 135 4294967295", "E2BIG"),
            ("", "call 135 18446744073709551615", "E2BIG"),
            ("", "call 161 0", "EFAULT"),
            ("--cap-drop sys_nice", "call 161 0", "EIO"),
        ];
        each(rows, |(options, call, expected)| {
            assert_eq!(attempt(&sandbox, &format!("{link} {options}"), call), expected, "{options} {call}");
        });
        for call in ["call 171", "call 103"] {
            sandbox.run(&format!("{link} rootfs probe try {call}")).done().is(128 + 31);
        }
    }
}

/// Refuses personality(2) with EIO on x86_64, allows all else.
const PROGRAM: [(u16, u8, u8, u32); 4] =
    [(0x20, 0, 0, 0), (0x15, 0, 1, 135), (0x06, 0, 0, 0x0005_0005), (0x06, 0, 0, 0x7fff_0000)];

#[test]
fn a_compiled_filter_is_taken_as_it_is_and_what_is_denied_comes_before_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let bytes = |(code, yes, no, value): (u16, u8, u8, u32)| {
        [&code.to_ne_bytes()[..], &[yes, no], &value.to_ne_bytes()].concat()
    };
    sandbox.file("own filter.bpf", PROGRAM.map(bytes).concat(), 0o644);
    let run = |options: &str, call: &str| {
        let line = format!("{PLAIN} {options} --seccomp");
        let run = sandbox.run(&line).arg("own filter.bpf").args(["rootfs", "probe", "try"]);
        run.args(call.split(' ')).done().is(0).quiet().text()
    };
    assert_eq!(run("", "call 135 0"), "EIO");
    assert_eq!(run("", "mount tmpfs /tmp"), "ok");
    assert_eq!(run("--seccomp-deny mount", "mount tmpfs /tmp"), "EPERM");
    assert_eq!(run("--seccomp-deny mount", "call 135 0"), "EIO");
    assert_eq!(run("--seccomp-deny personality", "call 135 0"), "EPERM");
}

#[test]
fn a_user_gets_a_filter_in_a_user_namespace() {
    let sandbox = Sandbox::user();
    let link = "unshare-rs -rpumin pivot --seccomp default";
    assert_eq!(attempt(&sandbox, link, IO_URING_SETUP), "EPERM");
    assert_eq!(attempt(&sandbox, &format!("{link} --cap-drop all"), "unshare"), "EPERM");
}

#[test]
fn what_cannot_be_a_filter_is_refused_before_anything_is_done() {
    let sandbox = Sandbox::own();
    sandbox.file("empty", "", 0o644);
    sandbox.file("text", "allow all", 0o644);
    sandbox.file("half.json", "{\"defaultAction\": ", 0o644);
    sandbox.file("typo.json", r#"{"defaultAction": "SCMP_ACT_ALOW"}"#, 0o644);
    let long: Vec<u8> = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f].repeat(4097);
    sandbox.file("long.bpf", long, 0o644);
    sandbox.file("nothing.json", r#"{"defaultAction": "SCMP_ACT_ERRNO"}"#, 0o644);
    fs::create_dir(sandbox.path("dir")).unwrap();
    let rules = |count| {
        let rule = |value: usize| {
            let test =
                format!(r#""index": 0, "value": {value}, "valueTwo": {value}, "op": "SCMP_CMP_MASKED_EQ""#);
            format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{{{test}}}]}}"#)
        };
        let rules: Vec<_> = (1..=count).map(rule).collect();
        format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{}]}}"#, rules.join(","))
    };
    sandbox.file("4096.json", rules(4096), 0o644);
    sandbox.file("4097.json", rules(4097), 0o644);
    let table = [
        ("--seccomp missing", "cannot use missing as a seccomp filter: No such file or directory"),
        ("--seccomp dir", "cannot use dir as a seccomp filter: Is a directory"),
        ("--seccomp empty", "cannot use empty as a seccomp filter: it is empty"),
        ("--seccomp text", "it is neither JSON nor a row of instructions of 8 bytes"),
        ("--seccomp half.json", "EOF while parsing a value at line 1 column 18"),
        ("--seccomp typo.json", "defaultAction: there is no action SCMP_ACT_ALOW"),
        ("--seccomp long.bpf", "it has 4097 instructions, the kernel accepts 4096"),
        ("--seccomp nothing.json", "it would refuse execve, so that no command could start"),
        ("--seccomp-deny @mount,execve", "it would refuse execve, so that no command could start"),
        ("--seccomp 4096.json", "instructions, the kernel accepts 4096"),
        ("--seccomp 4097.json", "it has 4097 rules; more than 4096 make no filter"),
        ("--seccomp /dev/zero", "it is larger than 4 MiB"),
        ("--seccomp=", "the name is empty"),
        ("--seccomp-deny @mounts", "there is no group @mounts"),
        ("--seccomp-deny mount,", "this machine has no system call ''"),
        ("--seccomp-deny mounty", "this machine has no system call mounty"),
    ];
    each(table, |(options, expected)| {
        let line = format!("pivot {options} rootfs true");
        drop(sandbox.run(&line).done().is(125).complains_as("pivot").says(expected));
    });
}

#[test]
fn a_policy_is_explained_in_words() {
    let sandbox = Sandbox::own();
    let text =
        sandbox.run("pivot --explain --seccomp default --seccomp-deny @clock rootfs").done().is(0).text();
    for part in ["allowed: 3", "@clock ", "by their arguments: personality socket", "32-bit programs: killed"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_filter_that_was_saved_does_the_same() {
    let Some(sandbox) = Sandbox::root() else { return };
    let made = "unshare-rs -pumin pivot --confine --seccomp-deny getppid --seccomp-save saved";
    let again = "unshare-rs -pumin pivot --seccomp saved";
    let calls = ["call 110", KEYCTL, IO_URING_SETUP, CLONE3, "socket 38", NOT_THERE_YET];
    let first = calls.map(|call| attempt(&sandbox, made, call));
    assert_eq!(first, calls.map(|call| attempt(&sandbox, again, call)));
    assert_eq!(first[0], "EPERM");
    let none = sandbox.run("unshare-rs -pum pivot --seccomp-save saved rootfs true").done().is(125);
    none.says("there is none").complains_as("pivot");
    let full =
        sandbox.run("unshare-rs -pum pivot --confine --seccomp-save no/such rootfs true").done().is(125);
    full.says("cannot write the seccomp filter to no/such").complains_as("pivot");
}
