//! Landlock, resource limits, umask, OOM score, keyring, other names: one table each.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use tests::{Sandbox, each};

fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

#[test]
fn landlock_leaves_the_named_files_and_no_others() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("rootfs/data")).unwrap();
    sandbox.file("rootfs/data/file", "data", 0o666);
    sandbox.file("rootfs/etc/one", "one", 0o666);
    sandbox.file("rootfs/data/run", "#!/bin/sh\necho ran\n", 0o755);
    std::os::unix::fs::symlink("/data", sandbox.path("rootfs/link")).unwrap();
    let bin = "--landlock-ro /bin --landlock-ro /usr";
    let rows = [
        ("--landlock-ro /", "cat /data/file && ls / && /data/run", true),
        ("--landlock-ro /", "echo x >/data/file", false),
        ("--landlock-ro /", "mkdir /data/d", false),
        ("--landlock-ro /", "rm /data/file", false),
        ("--landlock-ro /", "mv /data/file /data/other", false),
        ("--landlock-ro /", "truncate -s 0 /data/file", false),
        (
            "--landlock-ro / --landlock-rw /data",
            "echo x >/data/new && mkdir /data/d && rmdir /data/d && rm /data/new",
            true,
        ),
        ("--landlock-ro / --landlock-rw /data", "echo x >/etc/new", false),
        (
            "--landlock-ro / --landlock-rw /data",
            "mknod /data/n p && ln -s x /data/l && mv /data/l /data/m && rm /data/n /data/m",
            true,
        ),
        ("--landlock-ro / --landlock-rw /link", "echo x >/data/new && rm /link/new", true),
        ("--landlock-ro / --landlock-rw /etc/one", "echo two >/etc/one && cat /etc/one", true),
        ("--landlock-ro / --landlock-rw /etc/one", "rm /etc/one", false),
        (bin, "cat /data/file", false),
        (bin, "ls /", false),
        (bin, "cat /bin/sh >/proc/self/fd/1", false),
        ("--landlock-ro / --landlock-rw /dev", "echo x >/dev/null", true),
    ];
    each(rows, |(options, script, allowed)| {
        let line = format!("unshare-rs -pm pivot {options} rootfs sh -ec");
        let outcome = sandbox.run(&line).arg(script).done();
        assert_eq!(outcome.status == 0, allowed, "{options}: {outcome}");
    });
}

#[test]
fn landlock_holds_with_and_without_new_privileges_and_for_any_user() {
    let Some(sandbox) = sandbox() else { return };
    for options in [
        "",
        "--no-new-privs",
        "--confine",
        "--user 5",
        "--user 5 --no-new-privs",
        "--no-new-privs=no --confine",
    ] {
        let line = format!("pivot --landlock-ro / --tmpfs /tmp {options} rootfs sh -c");
        let outcome = sandbox.run(&line).arg("echo x 2>/dev/null >/tmp/x || exit 9").done();
        assert_eq!(outcome.status, 9, "{outcome}");
    }
    let line = "unshare-rs -Urpm pivot --landlock-ro / rootfs sh -c";
    Sandbox::user().run(line).arg("mkdir /x 2>/dev/null || exit 9").done().is(9);
}

#[test]
fn landlock_paths_are_those_of_the_new_root() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("--landlock-ro bin", "PATH is not absolute"),
        (
            "--landlock-ro /not/there",
            "cannot allow /not/there of the new root by Landlock: No such file or directory",
        ),
        ("--landlock-rw /../../etc/none", "No such file or directory"),
    ];
    each(rows, |(options, expected)| {
        let run = sandbox.run(&format!("pivot --tmpfs /made {options} rootfs true"));
        run.done().is(125).complains_as("pivot").says(expected);
        assert!(!sandbox.path("rootfs/made").exists(), "the mount point was left behind");
    });
    let outcome = sandbox.run("pivot --landlock-ro /etc rootfs true").done().is(126).complains_as("pivot");
    outcome.says("Permission denied").says("no path of --landlock-ro or --landlock-rw holds it");
}

#[test]
fn resource_limits_are_those_that_were_set() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("nofile=64:128", "Max open files", ["64", "128"]),
        ("nofile=1k --rlimit nofile=64", "Max open files", ["64", "64"]),
        ("RLIMIT_CORE=0", "Max core file size", ["0", "0"]),
        ("stack=1M:unlimited", "Max stack size", ["1048576", "unlimited"]),
        ("cpu=10:20", "Max cpu time", ["10", "20"]),
        ("fsize=1M", "Max file size", ["1048576", "1048576"]),
        ("nice=0", "Max nice priority", ["0", "0"]),
        ("rttime=5", "Max realtime timeout", ["5", "5"]),
    ];
    each(rows, |(limit, name, expected)| {
        let line = format!("unshare-rs -pm pivot --user 5 --rlimit {limit} rootfs probe report");
        let report = sandbox.run(&line).done().is(0).quiet().json();
        assert_eq!(report["limits"][name], serde_json::json!(expected), "{limit}");
    });
    let script = "head -c 4096 /dev/zero >/tmp/x; exit 5";
    sandbox.run("pivot --tmpfs /tmp --rlimit fsize=1k rootfs sh -c").arg(script).done().is(5);
    sandbox.run("pivot --rlimit nofile=3 --user root rootfs true").done().is(0).quiet();
}

#[test]
fn limits_beyond_ones_power_are_told() {
    let sandbox = Sandbox::user();
    let run = |options: &str| {
        let line = format!("prlimit --nofile=100:200 --core=0:0 unshare-rs -Urm pivot {options} rootfs true");
        sandbox.run(&line).done()
    };
    run("--rlimit nofile=150:200").is(0).quiet();
    let outcome = run("--tmpfs /made --rlimit nofile=10:201").is(125).complains_as("pivot");
    outcome.says("cannot raise the limit nofile above 200: Operation not permitted").says("CAP_SYS_RESOURCE");
    run("--rlimit core=1").is(125).complains_as("pivot").says("cannot raise the limit core above 0");
    let outcome = run("--oom-score-adj -999").is(125).complains_as("pivot");
    outcome.says("cannot set the OOM score adjustment -999: Permission denied").says("CAP_SYS_RESOURCE");
}

#[test]
fn what_is_no_limit_is_refused() {
    let sandbox = Sandbox::own();
    let rows = [
        ("--rlimit nofile", "it has no ="),
        ("--rlimit files=1", "NAME is one of as, core, cpu"),
        ("--rlimit nofile=2:1", "SOFT is above HARD"),
        ("--rlimit nofile=1x", "a limit is a number"),
        ("--umask 8", "it is not an octal number up to 777"),
        ("--umask 1000", "it is not an octal number up to 777"),
        ("--oom-score-adj 1001", "it is not a number from -1000 to 1000"),
        ("--oom-score-adj x", "it is not a number from -1000 to 1000"),
    ];
    each(rows, |(options, expected)| {
        let run = sandbox.run(&format!("pivot {options} rootfs true"));
        run.done().is(125).complains_as("pivot").says(expected);
    });
}

#[test]
fn umask_and_oom_score_reach_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    let line = "unshare-rs -pm pivot --umask 027 --oom-score-adj 500 --user 5 rootfs probe report";
    let report = sandbox.run(line).done().is(0).quiet().json();
    assert_eq!(
        (report["status"]["Umask"].as_str(), report["oom_score_adj"].as_str()),
        (Some("0027"), Some("500"))
    );
    let line = "unshare -m sh -c";
    let script = "mount -t tmpfs none /proc; exec pivot --oom-score-adj 1 rootfs true";
    sandbox.run(line).arg(script).done().is(125).complains_as("pivot").says("no /proc is mounted here");
}

#[test]
fn a_session_keyring_is_new() {
    let Some(sandbox) = Sandbox::root() else { return };
    // keyctl_get_keyring_ID(3) of KEY_SPEC_SESSION_KEYRING.
    let number = if cfg!(target_arch = "x86_64") { 250 } else { 219 };
    let script = format!("print syscall({number}, 0, -3, 0)");
    let id = |line: &str| sandbox.run(&format!("{line} perl -e")).arg(&script).done();
    if id("").status != 0 {
        return tests::skip("it takes perl");
    }
    let outside = id("").text();
    let inside = |options: &str| {
        let system = "--bind /usr:/usr:ro --bind /lib:/lib:ro --bind /lib64:/lib64:ro";
        id(&format!("pivot {options} --seccomp none {system} rootfs")).is(0).text()
    };
    for options in ["--keyring", "--confine", "--confine --user 5"] {
        let found = [inside(options), inside(options), outside.clone()];
        assert!(found[0] != found[1] && found[1] != found[2] && found[0] != found[2], "{options}: {found:?}");
    }
    for options in ["", "--confine --keyring=no"] {
        assert_eq!(inside(options), outside, "{options}");
    }
}

#[test]
fn the_command_can_be_told_another_name() {
    let Some(sandbox) = Sandbox::root() else { return };
    let line = "pivot --argv0 -ls rootfs /bin/busybox";
    let outcome = sandbox.run(line).arg("/etc").done();
    assert!(outcome.text().contains("passwd"), "{outcome}");
    let report =
        sandbox.run("pivot --argv0").arg("a b").args(["rootfs", "probe", "report"]).done().is(0).json();
    assert_eq!(report["args"][0], "a b");
    sandbox.run("pivot --argv0 x rootfs no-such-program").done().is(127).says("cannot run no-such-program");
}
