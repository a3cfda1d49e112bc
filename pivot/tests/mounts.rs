//! What the new root holds, what stays as it was.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use tests::{Sandbox, each, names};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

/// The mount points that the command sees, sorted.
fn mount_points(sandbox: &Sandbox, line: &str) -> Vec<String> {
    let table = sandbox.run(line).args(["cat", "/proc/self/mountinfo"]).done().is(0).text();
    let mut points: Vec<String> =
        table.lines().map(|line| line.split(' ').nth(4).unwrap().to_owned()).collect();
    points.sort();
    points
}

/// A root in which nothing is there to mount on.
fn bare_root(sandbox: &Sandbox) {
    for dir in ["dev", "proc", "sys"] {
        fs::remove_dir(sandbox.path("rootfs").join(dir)).unwrap();
    }
}

#[test]
fn nothing_but_our_own_mounts_is_seen_inside() {
    let Some(sandbox) = sandbox() else { return };
    let exists = |path: &&&str| Path::new(path).exists();
    let covered = [
        "/proc/acpi",
        "/proc/asound",
        "/proc/bus",
        "/proc/fs",
        "/proc/interrupts",
        "/proc/irq",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/sys",
        "/proc/sysrq-trigger",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
    ];
    let always = ["/", "/dev", "/dev/mqueue", "/dev/pts", "/dev/shm", "/proc", "/sys"];
    let mut expected: Vec<String> =
        covered.iter().filter(exists).chain(&always).map(ToString::to_string).collect();
    expected.sort();
    let mut seen = mount_points(&sandbox, "unshare -pmf pivot rootfs");
    seen.retain(|point| !point.contains("thermal_throttle"));
    assert_eq!(seen, expected);
}

#[test]
fn proc_is_there_only_in_a_new_pid_namespace() {
    let Some(sandbox) = sandbox() else { return };
    let has_proc = |line: &str| sandbox.run(line).args(["test", "-e", "/proc/self"]).done().status == 0;
    assert!(!has_proc("pivot rootfs"));
    assert!(!has_proc("unshare -mu pivot rootfs"));
    assert!(has_proc("unshare -pmf pivot rootfs"));
    assert!(has_proc("unshare-rs -pum pivot rootfs"));
    let second =
        sandbox.run("unshare -pf sh -c").arg("true; pivot rootfs test -e /proc/self; exit $?").done();
    second.is(0).quiet();
}

#[test]
fn the_devices_are_those_that_programs_expect() {
    let Some(sandbox) = sandbox() else { return };
    let script = "cd /dev; for n in null zero full random urandom tty; do stat -c '%n %F %t:%T %a' $n; done
        stat -c '%n %a' . pts shm; for n in fd stdin stdout stderr ptmx; do readlink $n; done
        echo x >null; head -c 2 zero | wc -c; touch shm/x && test -c pts/ptmx && echo made";
    let text = sandbox.run("unshare-rs -pm pivot rootfs sh -ec").arg(script).done().is(0).quiet().text();
    let expected = "null character special file 1:3 666\nzero character special file 1:5 666\n\
        full character special file 1:7 666\nrandom character special file 1:8 666\n\
        urandom character special file 1:9 666\ntty character special file 5:0 666\n\
        . 755\npts 755\nshm 1777\n/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx\n\
        2\nmade";
    assert_eq!(text, expected);
}

#[test]
fn masked_and_read_only_paths_are_so() {
    let Some(sandbox) = sandbox() else { return };
    let script = "for p in sys/kernel/hostname irq/default_smp_affinity; do
          if [ -e /proc/$p ] && (: >>/proc/$p) 2>/dev/null; then echo /proc/$p; fi; done
        for f in interrupts keys timer_list; do if [ -s /proc/$f ]; then echo $f; fi
          chmod 600 /proc/$f 2>/dev/null && echo mode of $f; done
        ls -A /proc/acpi /sys/firmware 2>/dev/null | grep -v : | grep .
        mkdir /sys/fs/x 2>/dev/null && echo sys
        echo 5 >/proc/self/oom_score_adj && echo proc is writable; stat -c %a /dev/null";
    let text = sandbox.run("unshare-rs -pm pivot rootfs sh -c").arg(script).done().is(0).text();
    assert_eq!(text, "proc is writable\n666");
}

#[test]
fn bare_is_nothing_but_the_switch() {
    let Some(sandbox) = sandbox() else { return };
    let before = names(&sandbox.path("rootfs"));
    let script = "ls /dev /proc /sys; pwd";
    let outcome = sandbox.run("unshare-rs -pm pivot --bare rootfs sh -c").arg(script).done().is(0).quiet();
    assert_eq!(outcome.text(), "/dev:\n\n/proc:\n\n/sys:\n/");
    assert_eq!(names(&sandbox.path("rootfs")), before);
}

#[test]
fn the_root_may_be_named_in_any_way() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.run("pivot . test -x /bin/sh").cwd("rootfs").done().is(0).quiet();
    sandbox.run("pivot ../../rootfs test -x /bin/sh").cwd("rootfs/bin").done().is(0).quiet();
    sandbox.run("pivot").arg(sandbox.path("rootfs")).args(["test", "-x", "/bin/sh"]).done().is(0).quiet();
    symlink("rootfs", sandbox.path("link")).unwrap();
    sandbox.run("pivot link test -x /bin/sh").done().is(0).quiet();
}

#[test]
fn read_only_goes_all_the_way_down() {
    let Some(sandbox) = sandbox() else { return };
    let script = "mkdir rootfs/sub; mount -t tmpfs x rootfs/sub; mkdir rootfs/sub/deep; mount -t tmpfs y rootfs/sub/deep
        pivot --ro rootfs sh -c 'for d in / /sub /sub/deep; do touch $d/x && echo $d; done; touch /dev/shm/x' 2>/dev/null
        pivot --bind rootfs:/tmp:ro rootfs sh -c 'for d in /tmp /tmp/sub /tmp/sub/deep; do touch $d/x && echo $d; done
            touch /sub/deep/ours' 2>/dev/null; ls rootfs/sub/deep";
    let text = sandbox.run("unshare -m sh -c").arg(script).done().is(0).text();
    assert_eq!(text, "ours");
}

#[test]
fn missing_mount_points_are_made_where_they_belong() {
    let Some(sandbox) = sandbox() else { return };
    bare_root(&sandbox);
    sandbox.file("file", "content", 0o644);
    fs::create_dir(sandbox.path("data")).unwrap();
    fs::create_dir_all(sandbox.path("rootfs/merged")).unwrap();
    symlink("/new", sandbox.path("rootfs/merged/run")).unwrap();
    symlink("../new/resolv", sandbox.path("rootfs/etc/link.conf")).unwrap();
    let line =
        "pivot --bind file:/etc/link.conf:ro --bind data:/merged/run/a/b --tmpfs /merged/run/a/b/c rootfs";
    let script = "cat /new/resolv; touch /new/a/b/d /new/a/b/c/e; ls /new/a/b";
    let outcome = sandbox.run(line).args(["sh", "-c", script]).done().is(0).quiet();
    assert_eq!(outcome.text(), "contentc\nd");
    let made = names(&sandbox.path("data"));
    assert_eq!(
        made,
        [sandbox.path("data/c").display().to_string(), sandbox.path("data/d").display().to_string()]
    );
    assert_eq!(fs::read(sandbox.path("rootfs/new/resolv")).unwrap(), b"");
    assert_eq!(fs::metadata(sandbox.path("rootfs/new/a/b")).unwrap().permissions().mode() & 0o7777, 0o755);
    sandbox.run(line).args(["sh", "-c", script]).done().is(0).quiet();
}

#[test]
fn what_fails_leaves_no_trace() {
    let Some(sandbox) = sandbox() else { return };
    bare_root(&sandbox);
    sandbox.file("file", "", 0o644);
    fs::create_dir(sandbox.path("data")).unwrap();
    let table = [
        ("pivot --tmpfs /a/b --bind missing:/c rootfs true", "cannot mount missing on /c: No such file"),
        ("pivot --tmpfs /a/b --bind file:/bin rootfs true", "one is a directory and the other is not"),
        ("pivot --tmpfs /a/b --bind data:/bin/sh rootfs true", "one is a directory and the other is not"),
        ("pivot --tmpfs /a/b --tmpfs /bin/busybox/x rootfs true", "cannot mount a tmpfs on /bin/busybox/x"),
        (
            "pivot --tmpfs /a/b --chdir /no/such rootfs true",
            "cannot start in /no/such of the new root: No such file",
        ),
        ("pivot --tmpfs /a/b --chdir /bin/busybox rootfs true", "Not a directory"),
        ("pivot --bind file:/f --keep-fd 99 rootfs true", "cannot keep descriptor 99"),
    ];
    let before = names(sandbox.dir());
    each(table, |(line, expected)| {
        sandbox.run(line).done().is(125).complains_as("pivot").says(expected);
        assert_eq!(names(sandbox.dir()), before, "{line}");
    });
}

#[test]
fn a_mount_of_the_users_own_takes_the_place_of_a_default() {
    let Some(sandbox) = sandbox() else { return };
    let points = mount_points(&sandbox, "unshare -pmf pivot --tmpfs /sys --tmpfs /dev rootfs");
    let tops: Vec<&str> =
        points.iter().map(String::as_str).filter(|point| !point.starts_with("/proc")).collect();
    assert_eq!(tops, ["/", "/dev", "/sys"]);
}

#[test]
fn the_command_starts_in_the_directory_asked_for() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("rootfs/work")).unwrap();
    symlink("/work", sandbox.path("rootfs/link")).unwrap();
    let rows =
        [("/", "/"), ("/work", "/work"), ("work", "/work"), ("/link", "/work"), ("/../../work/.", "/work")];
    each(rows, |(asked, got)| {
        let shown = sandbox.run("pivot --chdir").args([asked, "rootfs", "sh", "-c", "/bin/pwd; echo $PWD"]);
        assert_eq!(shown.done().is(0).quiet().text(), format!("{got}\n{got}"), "{asked}");
    });
}

#[test]
fn the_environment_is_what_was_asked_for() {
    let Some(sandbox) = sandbox() else { return };
    let text = |line: &str| {
        let run = sandbox
            .run(line)
            .arg("env")
            .env("OLDPWD", "/x")
            .env("PWD", "/x")
            .env("CHAIN_NS", "1:2")
            .env("A", "1");
        let mut lines: Vec<String> = run.done().is(0).quiet().text().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let cleared = text("pivot --clear-env --env B=x=y --env B=2 --env C= rootfs");
    assert_eq!(cleared, ["B=2", "C=", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
    let passed = text("pivot --chdir /bin --env B=2 rootfs");
    let has = |variable: &str| passed.iter().any(|line| line.starts_with(variable));
    assert!(has("A=1") && has("B=2") && has("PWD=/bin"), "{passed:?}");
    assert!(!has("OLDPWD") && !has("CHAIN_NS"), "{passed:?}");
    assert!(text("pivot --chdir /bin --env PWD=/y rootfs").contains(&"PWD=/y".to_owned()));
}

#[test]
fn modes_do_not_depend_on_the_umask_and_the_umask_is_passed_on() {
    let Some(sandbox) = sandbox() else { return };
    let text =
        sandbox.shell("umask 077; pivot --tmpfs /made/here rootfs sh -c 'umask; stat -c %a /dev/null /made'");
    assert_eq!(text.done().is(0).quiet().text(), "0077\n666\n755");
}

#[test]
fn a_user_without_rights_gets_the_same_in_a_user_namespace() {
    let sandbox = Sandbox::user().with_own_root();
    let script = "set -e; echo $$ $(id -u); echo x >/dev/null; test -c /dev/tty; head -c 3 /dev/urandom | wc -c
        test -c /dev/ptmx; touch /dev/shm/x; ls /sys | wc -l | grep -qv ^0; ! touch /sys/x; ! touch /proc/sys/x
        ! test -s /proc/keys; ! chmod 600 /dev/null; touch /x; rm /x; test -e /dev/mqueue && echo mqueue || echo none";
    let rows = [
        ("-Urpm", "none"),
        ("-Urpum", "none"),
        ("-Urpumi", "mqueue"),
        ("-Urpumin", "mqueue"),
        ("-Urpmn", "none"),
    ];
    each(rows, |(options, mqueue)| {
        let outcome =
            sandbox.run("unshare-rs").args([options, "pivot", "rootfs", "sh", "-c", script]).done().is(0);
        assert_eq!(outcome.text(), format!("1 0\n3\n{mqueue}"), "{options}");
    });
}

#[test]
fn a_read_only_root_keeps_its_files_time_and_owner() {
    let Some(sandbox) = sandbox() else { return };
    let before = fs::metadata(sandbox.path("rootfs/bin/busybox")).unwrap();
    sandbox.run("pivot --ro rootfs sh -c").arg("touch /bin/busybox; chmod 0 /bin/busybox; true").done().is(0);
    let after = fs::metadata(sandbox.path("rootfs/bin/busybox")).unwrap();
    assert_eq!((before.mode(), before.mtime_nsec()), (after.mode(), after.mtime_nsec()));
}
