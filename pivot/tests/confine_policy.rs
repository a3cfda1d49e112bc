//! `--confine`: what it takes away, what gives single things back, and what it says of itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tests::{Sandbox, each};

/// CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP
const ELEVEN: &str = "00000000800405fb";
const NONE: &str = "0000000000000000";

/// A sandbox for root, and one for a user.
fn both() -> Vec<(Sandbox, &'static str)> {
    let root = Sandbox::root().map(|sandbox| (sandbox, "unshare-rs -pumin"));
    root.into_iter().chain([(Sandbox::user(), "unshare-rs -Urpumin")]).collect()
}

fn status<'a>(report: &'a Value, field: &str) -> &'a str {
    report["status"][field].as_str().unwrap()
}

#[test]
fn it_leaves_what_docker_leaves() {
    for (sandbox, namespaces) in both() {
        let line = format!("{namespaces} pivot --confine rootfs probe report");
        let report = sandbox.run(&line).env("SECRET", "1").done().is(0).quiet().json();
        let rows = [
            ("CapInh", NONE),
            ("CapPrm", ELEVEN),
            ("CapEff", ELEVEN),
            ("CapBnd", ELEVEN),
            ("CapAmb", NONE),
            ("NoNewPrivs", "1"),
            ("Seccomp", "2"),
            ("Umask", "0022"),
            ("Uid", "0 0 0 0"),
        ];
        each(rows, |(field, expected)| assert_eq!(status(&report, field), expected, "{field} by {line}"));
        let mut names: Vec<_> = report["environment"].as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["HOME", "PATH"], "{line}");
        assert_eq!(report["environment"]["HOME"], "/root");
        let mounts = report["mounts"].as_array().unwrap();
        let root = mounts.iter().find(|mount| mount["at"] == "/").unwrap();
        assert!(root["options"].as_str().unwrap().split(',').any(|option| option == "nodev"), "{root}");
    }
}

#[test]
fn what_it_forbids_is_refused_inside() {
    for (sandbox, namespaces) in both() {
        let rows = [
            "mknod /tmp/null c 1 3",
            "mount -t tmpfs none /tmp",
            "umount /proc/keys",
            "mount -o remount,rw /sys",
            "unshare -m true",
            "unshare -U true",
            "hostname other",
            "dmesg",
            "ip link set lo down",
        ];
        each(rows, |command| {
            let line = format!("{namespaces} pivot --confine rootfs {command}");
            let outcome = sandbox.run(&line).done();
            assert!(![0, 125, 126, 127].contains(&outcome.status), "{outcome}");
        });
        for command in ["chown 0:0 /tmp", "chroot / true", "chmod 4755 /tmp", "kill -0 1"] {
            sandbox.run(&format!("{namespaces} pivot --confine --tmpfs /tmp rootfs {command}")).done().is(0);
        }
    }
}

#[test]
fn each_part_is_given_back_by_its_own_option_wherever_it_stands() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("--cap-add net_raw", "CapBnd", "00000000800425fb"),
        ("--cap-drop all", "CapBnd", NONE),
        ("--cap-keep kill", "CapEff", "0000000000000020"),
        ("--no-new-privs=no", "NoNewPrivs", "0"),
        ("--no-new-privs=no --no-new-privs", "NoNewPrivs", "1"),
        ("--seccomp none", "Seccomp", "0"),
        ("--seccomp none --seccomp-deny @mount", "Seccomp", "2"),
        ("--umask 77", "Umask", "0077"),
        ("--confine=no", "CapBnd", "full"),
    ];
    let full = sandbox.run("unshare-rs -pm pivot rootfs probe report").done().is(0).json();
    each(rows, |(options, field, expected)| {
        let expected = if expected == "full" { status(&full, field) } else { expected };
        let orders = [format!("--confine {options}"), format!("{options} --confine")];
        let count = if options.contains("=no") && options.contains("confine") { 1 } else { 2 };
        for options in &orders[..count] {
            let line = format!("unshare-rs -pm pivot {options} rootfs probe report");
            let report = sandbox.run(&line).done().is(0).json();
            assert_eq!(status(&report, field), expected, "{line}");
        }
    });
    let line = "unshare-rs -pm pivot --clear-env=no --confine rootfs probe report";
    let report = sandbox.run(line).env("SECRET", "1").done().is(0).json();
    assert_eq!(report["environment"]["SECRET"], "1");
}

#[test]
fn device_nodes_of_the_root_have_no_effect_unless_they_are_wanted() {
    let Some(sandbox) = Sandbox::root().map(Sandbox::with_own_root) else { return };
    sandbox.run("mknod -m 666 rootfs/tmp/null c 1 3").done().is(0);
    let rows =
        [("", 0), ("--nodev", 1), ("--confine", 1), ("--confine --nodev=no", 0), ("--confine --bare", 1)];
    each(rows, |(options, status)| {
        sandbox.run(&format!("pivot {options} rootfs sh -c")).arg("cat /tmp/null").done().is(status);
    });
    let rows = [("--confine", "", 1), ("--confine", ":dev", 0), ("", "", 0), ("--confine --nodev=no", "", 0)];
    each(rows, |(options, words, status)| {
        let line = format!("pivot {options} --bind rootfs/tmp:/root{words} rootfs cat /root/null");
        sandbox.run(&line).done().is(status);
    });
}

#[test]
fn nothing_is_taken_away_without_being_asked() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = |link: &str| {
        let report = sandbox.run(&format!("unshare-rs -pm {link} probe report")).done().is(0).json();
        let fields = [
            "CapInh",
            "CapPrm",
            "CapEff",
            "CapBnd",
            "CapAmb",
            "NoNewPrivs",
            "Seccomp",
            "Uid",
            "Gid",
            "Groups",
            "Umask",
        ];
        fields.map(|field| status(&report, field).to_owned())
    };
    tests::program::copy(sandbox.path("rootfs/bin/probe"), sandbox.path("probe"));
    assert_eq!(report("pivot rootfs"), report("env PATH=/nowhere:.:/usr/bin:/bin"));
}

#[test]
fn it_tells_what_it_is() {
    let Some(sandbox) = Sandbox::root() else { return };
    let options = "--confine --user 1000:5 --ambient net_bind_service --rlimit nofile=1k --landlock-ro / \
                   --hostname other --bind /etc:/root:ro --bind /etc:/usr --env A=1 --tmpfs /tmp --keep-fd 1 --oom-score-adj 7 --securebits noroot";
    let text = sandbox
        .run(&format!("unshare-rs -pm pivot --explain {options} rootfs ls -l"))
        .done()
        .is(0)
        .quiet()
        .text();
    let rows = [
        "root: rootfs",
        "root flags: nodev",
        "mount: a tmpfs on /tmp",
        "mount: proc on /proc",
        "mount: /etc on /root ro nodev",
        "mount: /etc on /usr nodev",
        "namespace: uts new",
        "host name: other",
        "user: 1000:5, looked up in the new root",
        "capabilities permitted: NET_BIND_SERVICE",
        "capabilities ambient: NET_BIND_SERVICE",
        "no_new_privs: yes",
        "securebits: noroot",
        "rlimit: nofile=1024:1024",
        "umask: 0022",
        "oom_score_adj: 7",
        "keyring: new",
        "landlock: read /",
        "environment: A HOME PATH",
        "descriptors: 0 1 2",
        "command: ls -l",
    ];
    each(rows, |row| assert!(text.lines().any(|line| line == row), "{row:?} is not in\n{text}"));
    assert!(text.lines().all(|line| line.split_once(": ").is_some()), "{text}");
    assert!(
        text.contains("capabilities bounding: CHOWN DAC_OVERRIDE ") && text.contains("seccomp: "),
        "{text}"
    );
    let json =
        sandbox.run(&format!("pivot --explain=json {options} rootfs ls -l")).done().is(0).quiet().json();
    assert_eq!(json["capabilities ambient"][0], "NET_BIND_SERVICE");
    let topics = text.lines().map(|line| line.split_once(": ").unwrap().0);
    assert!(topics.clone().all(|topic| !json[topic].is_null()), "{json}");
}

#[test]
fn names_are_quoted_in_lines_and_plain_in_json() {
    let sandbox = Sandbox::own();
    let explain = |form: &str| sandbox.run(&format!("pivot {form}")).args(["a dir", "sh", "-c", "a b"]);
    let text = explain("--explain").done().is(0).text();
    each(["root: 'a dir'", "command: sh -c 'a b'"], |row| {
        assert!(text.lines().any(|line| line == row), "{row:?} is not in\n{text}");
    });
    let json = explain("--explain=json").done().is(0).json();
    assert_eq!([&json["root"], &json["command"][2]], ["a dir", "a b"]);
}

#[test]
fn to_explain_runs_and_changes_nothing() {
    let sandbox = Sandbox::user();
    sandbox.run("pivot --explain --confine --tmpfs /not/there rootfs touch /tmp/x").done().is(0).quiet();
    sandbox
        .run("pivot --explain=x rootfs")
        .done()
        .is(125)
        .complains_as("pivot")
        .says("it is one of text, json");
    sandbox.run("pivot --explain --seccomp missing rootfs").done().is(125).complains_as("pivot");
    sandbox.run("sh -c").arg("pivot --explain rootfs >/dev/full").done().is(125).complains_as("pivot");
}
