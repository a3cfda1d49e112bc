//! Capabilities, securebits and no_new_privs: the sets inside, and what programs that give rights still give.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustix::fs::{XattrFlags, setxattr};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tests::{Sandbox, each};

const NONE: u64 = 0;
const NET_BIND_SERVICE: u64 = 1 << 10;
const NET_RAW: u64 = 1 << 13;
const KILL: u64 = 1 << 5;

fn set(report: &Value, name: &str) -> u64 {
    u64::from_str_radix(report["status"][name].as_str().unwrap(), 16).unwrap()
}

/// Inheritable, permitted, effective, bounding, ambient.
fn sets(report: &Value) -> [u64; 5] {
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map(|name| set(report, name))
}

fn report(sandbox: &Sandbox, options: &str) -> Value {
    sandbox.run(&format!("unshare-rs -pm pivot {options} rootfs probe report")).done().is(0).quiet().json()
}

#[test]
fn the_sets_are_what_the_options_say_in_their_order() {
    let Some(sandbox) = Sandbox::root() else { return };
    let all = set(&report(&sandbox, ""), "CapBnd");
    let root = |kept: u64| [NONE, kept, kept, kept, NONE];
    let rows = [
        ("--cap-drop all", root(NONE)),
        ("--cap-drop net_raw", root(all & !NET_RAW)),
        ("--cap-drop CAP_NET_RAW --cap-drop kill", root(all & !NET_RAW & !KILL)),
        ("--cap-drop all --cap-add Cap_Kill", root(KILL)),
        ("--cap-add kill --cap-drop all", root(NONE)),
        ("--cap-drop all --cap-add all", root(all)),
        ("--cap-keep kill,net_raw", root(KILL | NET_RAW)),
        ("--cap-keep kill --cap-add net_raw", root(KILL | NET_RAW)),
        ("--cap-keep all", root(all)),
        ("--cap-keep kill --ambient kill", [KILL, KILL, KILL, KILL, KILL]),
        ("--user 5", [NONE, NONE, NONE, all, NONE]),
        ("--user 5 --cap-keep kill", [NONE, NONE, NONE, KILL, NONE]),
        ("--user 5 --ambient kill", [KILL, KILL, KILL, all, KILL]),
        ("--user 5 --ambient kill,net_raw --ambient net_raw", [NET_RAW, NET_RAW, NET_RAW, all, NET_RAW]),
        ("--user 5 --ambient kill --ambient none", [NONE, NONE, NONE, all, NONE]),
        ("--user 5 --cap-keep kill --ambient all", [KILL; 5]),
        ("--user 5 --ambient all", [all; 5]),
        (
            "--confine --user 5 --ambient net_bind_service",
            [NET_BIND_SERVICE, NET_BIND_SERVICE, NET_BIND_SERVICE, 0x8004_05fb, NET_BIND_SERVICE],
        ),
    ];
    each(rows, |(options, expected)| assert_eq!(sets(&report(&sandbox, options)), expected, "{options}"));
}

#[test]
fn what_the_caller_had_to_hand_on_is_handed_on_only_when_asked() {
    let Some(sandbox) = Sandbox::root() else { return };
    let line =
        "setpriv --inh-caps=+kill --ambient-caps=+kill unshare-rs -pm pivot OPTIONS rootfs probe report";
    let report = |options: &str| sandbox.run(&line.replace("OPTIONS", options)).done().is(0).json();
    assert_eq!((set(&report(""), "CapInh"), set(&report(""), "CapAmb")), (KILL, KILL));
    for options in ["--confine", "--cap-drop net_raw", "--user 5", "--user 0"] {
        let report = report(options);
        assert_eq!((set(&report, "CapInh"), set(&report, "CapAmb")), (NONE, NONE), "{options}");
    }
}

#[test]
fn names_that_are_none_and_rights_that_are_not_there_are_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("pivot --cap-drop net_rwa rootfs", "there is no capability NET_RWA; did you mean NET_RAW?"),
        ("pivot --cap-add 13 rootfs", "there is no capability 13"),
        ("pivot --cap-keep kill, rootfs", "there is no capability"),
        ("pivot --cap-drop kill --ambient kill rootfs", "cannot make ambient for CMD the capability KILL"),
        (
            "setpriv --bounding-set=-net_raw --inh-caps=-net_raw pivot --confine --cap-add net_raw rootfs",
            "cannot leave CMD the capability NET_RAW: this process does not have it itself",
        ),
        (
            "setpriv --bounding-set=-setpcap --inh-caps=-setpcap pivot --confine rootfs",
            "cannot drop the capability DAC_READ_SEARCH: Operation not permitted",
        ),
        ("pivot --securebits root rootfs", "root is none of noroot, noroot-locked"),
        ("pivot --securebits keep-caps rootfs", "the start of a program clears keep-caps"),
        ("pivot --no-new-privs=maybe rootfs", "it is `yes` or `no`"),
    ];
    each(rows, |(line, expected)| {
        drop(sandbox.run(&format!("{line} true")).done().is(125).complains_as("pivot").says(expected));
    });
}

/// A root with programs that give rights away: by set-user-ID, and by file capabilities.
fn generous() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?.with_own_root();
    let copy = |name: &str| {
        let path = sandbox.path("rootfs/bin").join(name);
        tests::program::copy(sandbox.path("rootfs/bin/probe"), &path);
        path
    };
    fs::set_permissions(copy("setuid"), fs::Permissions::from_mode(0o4755)).unwrap();
    // struct vfs_cap_data of linux/capability.h, revision 2, effective: NET_RAW and KILL permitted.
    let words = [0x0200_0001_u32, (NET_RAW | KILL) as u32, 0, 0, 0];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    setxattr(copy("filecaps"), "security.capability", &bytes, XattrFlags::empty()).unwrap();
    Some(sandbox)
}

#[test]
fn programs_that_give_rights_give_them_within_the_bounding_set_and_not_at_all_without_new_privileges() {
    let Some(sandbox) = generous() else { return };
    let all = set(&report(&sandbox, ""), "CapBnd");
    let rows = [
        ("--user 5", "setuid", "5 0 0 0", all),
        ("--user 5 --cap-keep kill", "setuid", "5 0 0 0", KILL),
        ("--user 5 --no-new-privs", "setuid", "5 5 5 5", NONE),
        ("--user 5 --confine", "setuid", "5 5 5 5", NONE),
        ("--user 5", "filecaps", "5 5 5 5", NET_RAW | KILL),
        ("--user 5 --no-new-privs", "filecaps", "5 5 5 5", NONE),
        ("--user 5 --confine --cap-add net_raw --no-new-privs=no", "filecaps", "5 5 5 5", NET_RAW | KILL),
    ];
    each(rows, |(options, program, user, rights)| {
        let line = format!("unshare-rs -pm pivot {options} rootfs {program} report");
        let report = sandbox.run(&line).done().is(0).json();
        assert_eq!(
            (report["status"]["Uid"].as_str().unwrap(), set(&report, "CapEff")),
            (user, rights),
            "{line}"
        );
    });
    // The kernel refuses a program that asks for more than it may be given: capabilities(7), "Safety checking".
    let line = "unshare-rs -pm pivot --user 5 --confine --no-new-privs=no rootfs filecaps report";
    sandbox.run(line).done().is(126).complains_as("pivot").says("cannot run");
}

#[test]
fn root_gets_nothing_back_by_starting_a_program() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows =
        ["--cap-drop all", "--confine --cap-drop all", "--cap-drop all --seccomp-deny @mount --no-new-privs"];
    each(rows, |options| {
        let line = format!("unshare-rs -pm pivot {options} rootfs sh -c");
        let text = sandbox.run(&line).arg("exec sh -c 'grep CapEff /proc/self/status'").done().is(0).text();
        assert!(text.ends_with("0000000000000000"), "{options}: {text}");
    });
}

#[test]
fn securebits_are_set_also_for_a_user_who_has_no_rights_left() {
    let Some(sandbox) = generous() else { return };
    let all = set(&report(&sandbox, ""), "CapBnd");
    let rows = [
        ("--securebits noroot", "probe", NONE),
        ("--securebits noroot --ambient kill", "probe", KILL),
        ("--user 5 --securebits noroot", "setuid", NONE),
        ("--user 5 --securebits NO_CAP_AMBIENT_RAISE,noroot-locked --ambient kill", "probe", KILL),
        ("--user 5 --cap-keep kill --ambient kill --securebits noroot", "probe", KILL),
        ("--user 5 --securebits exec-restrict-file", "setuid", all),
    ];
    each(rows, |(options, program, rights)| {
        let line = format!("unshare-rs -pm pivot {options} rootfs {program} report");
        assert_eq!(set(&sandbox.run(&line).done().is(0).quiet().json(), "CapEff"), rights, "{line}");
    });
    let bits = "pivot --bind /usr:/usr:ro --bind /lib:/lib:ro --bind /lib64:/lib64:ro \
         --securebits noroot,no-setuid-fixup-locked,exec-deny-interactive rootfs /usr/bin/setpriv --dump";
    let text = sandbox.run(bits).done().is(0).text();
    let shown = text.lines().find_map(|line| line.strip_prefix("Securebits: ")).unwrap();
    assert!(shown.starts_with("noroot,no_setuid_fixup_locked"), "{shown}");
}

#[test]
fn an_unprivileged_user_confines_in_a_user_namespace() {
    let sandbox = Sandbox::user();
    let line = "unshare-rs -Urpm pivot --cap-keep kill,net_raw --no-new-privs --securebits noroot --ambient kill rootfs probe report";
    let report = sandbox.run(line).done().is(0).quiet().json();
    assert_eq!(sets(&report), [KILL, KILL, KILL, KILL | NET_RAW, KILL]);
    assert_eq!(report["status"]["NoNewPrivs"], "1");
}
