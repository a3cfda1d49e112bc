//! Roots that cannot be changed: what they lack is in a spare layer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod two_layers;

use std::fs;
use tests::{Sandbox, each, names};
use two_layers::sandbox;

#[test]
fn a_read_only_root_is_not_changed_by_changes_either() {
    let Some(sandbox) = sandbox() else { return };
    let before = names(&sandbox.path("rootfs"));
    let line = "pivot --ro --bare --symlink /new/l=x --dir /d:mode=711 --file /etc/f=x --chmod /etc=700 --tmpfs /d/t rootfs sh -c";
    let script = "stat -c %a /d /etc; readlink /new/l; touch /d/t/x; touch /d/x /new/x /x";
    let outcome = sandbox.run(line).arg(script).done().is(1);
    assert_eq!(outcome.text(), "711\n700\nx");
    assert_eq!(outcome.talk().matches("Read-only file system").count(), 3, "{outcome}");
    assert_eq!(names(&sandbox.path("rootfs")), before);
    let stat = sandbox.shell("stat -c %a rootfs/etc").done().text();
    assert_eq!(stat, "755");
}

/// A root that has no mount points, and files and a directory in the root to be carried over.
fn bare_root(sandbox: &Sandbox) {
    for dir in ["dev", "proc", "sys", "tmp"] {
        fs::remove_dir(sandbox.path("rootfs").join(dir)).unwrap();
    }
}

const LOOK: &str = "test -c /dev/null; test -d /proc/self; cat /srv/a /etc/one; touch /run/x
    for d in / /etc /etc/deep; do if touch $d/y 2>/dev/null; then echo $d is writable; fi; done; stat -c %a /etc";

#[test]
fn a_root_that_cannot_be_changed_gets_its_mount_points_in_a_layer() {
    let Some(sandbox) = sandbox() else { return };
    bare_root(&sandbox);
    fs::create_dir_all(sandbox.path("rootfs/etc/deep")).unwrap();
    let before = names(&sandbox.path("rootfs"));
    let options = "--tmpfs /run --bind a:/srv --bind b/b:/etc/one --tmpfs /etc/deep/er rootfs";
    let bound = "chmod 750 rootfs/etc; mount --bind rootfs rootfs; mount -o remount,bind,ro rootfs; unshare-rs -pm pivot";
    let rows = [
        ("chmod 750 rootfs/etc; unshare-rs -pm pivot --ro", "750"),
        (bound, "750"),
        ("mount -t tmpfs x a; touch a/a; echo -n a/a >a/a; unshare-rs -pm pivot --ro", "750"),
    ];
    each(rows, |(line, mode)| {
        let script = format!("{line} {options} sh -ec '{LOOK}'");
        let outcome = sandbox.run("unshare -m sh -ec").arg(script).done().is(0).quiet();
        assert_eq!(outcome.text(), format!("a/ab/b{mode}"));
        assert_eq!(names(&sandbox.path("rootfs")), before, "{line}");
    });
}

#[test]
fn what_is_mounted_in_such_a_root_stays_there() {
    let Some(sandbox) = sandbox() else { return };
    bare_root(&sandbox);
    let script = "mkdir rootfs/m rootfs/etc/n; mount -t tmpfs x rootfs/m; mkdir rootfs/m/deep; mount -t tmpfs y rootfs/m/deep
        touch rootfs/etc/f; mount --bind a/a rootfs/etc/f; mount -t tmpfs z rootfs/etc/n; mount -t tmpfs w rootfs/etc/n
        echo deep >rootfs/m/deep/file; echo top >rootfs/etc/n/file
        unshare-rs -pm pivot --ro --tmpfs /m/new --bind b:/m/deep/new/er --tmpfs /first rootfs sh -c \"$1\"
        find rootfs -name new -o -name first -o -name dev";
    let look = "cat /etc/f /m/deep/file /etc/n/file /m/deep/new/er/b; touch /m/new/x
        for d in / /m /m/deep /etc/n /m/deep/new; do if touch $d/y 2>/dev/null; then echo $d is writable; fi; done
        grep -c ' /etc/n ' /proc/self/mountinfo";
    let outcome = sandbox.run("unshare -m sh -ec").args([script, "sh", look]).done().is(0).quiet();
    assert_eq!(outcome.text(), "a/adeep\ntop\nb/b1");
}

#[test]
fn a_user_gets_mount_points_in_a_root_of_others() {
    if !tests::is_root() {
        return tests::skip("it needs a root directory of another user");
    }
    let sandbox = Sandbox::user().with_own_root();
    bare_root(&sandbox);
    std::os::unix::fs::chown(sandbox.path("rootfs"), Some(0), Some(0)).unwrap();
    let before = names(&sandbox.path("rootfs"));
    let line = "unshare-rs -Urpm pivot --tmpfs /tmp rootfs sh -c";
    let script = "test -c /dev/null && test -d /proc/1 && touch /tmp/x && ! touch /x 2>/dev/null && ls /";
    assert_eq!(
        sandbox.run(line).arg(script).done().is(0).text(),
        "bin\ndev\netc\nproc\nroot\nrun\nsbin\nsys\ntmp\nusr\nvar"
    );
    assert_eq!(names(&sandbox.path("rootfs")), before);
}

#[test]
fn a_root_that_is_read_only_although_nobody_asked_is_told() {
    if !tests::is_root() {
        return tests::skip("it needs a directory of another user");
    }
    let sandbox = Sandbox::user().with_own_root();
    std::os::unix::fs::chown(sandbox.path("rootfs/etc"), Some(0), Some(0)).unwrap();
    let run = |options: &str| {
        let line = format!("unshare-rs -Urpm pivot {options} rootfs sh -c");
        sandbox.run(&line).arg("! touch /tmp/x 2>/dev/null").done().is(0)
    };
    let rest = "without a layer over it, pivot cannot";
    let why =
        format!("warning: the root is read-only now: {rest} mount a tmpfs on /etc/new: Permission denied");
    run("--tmpfs /etc/new --file /etc/file=x").says(&why).says("hint: make what is missing in it first");
    run("--ro --tmpfs /etc/new").quiet();
    let bound = "--tmpfs /m --bind rootfs/etc:/m/etc --tmpfs /m/etc/new";
    let outcome = sandbox.run(&format!("unshare-rs -Urpm pivot {bound} rootfs touch /tmp/x")).done().is(0);
    outcome.says(&format!("warning: /m/etc is read-only now: {rest} mount a tmpfs on /m/etc/new"));
    // Nor is it told when nothing came of it.
    let outcome = sandbox.run("unshare-rs -Urpm pivot --symlink /etc/new=x rootfs true").done().is(125);
    assert!(!outcome.talk().contains("warning"), "{outcome}");
}

#[test]
fn without_need_no_layer_is_made() {
    let Some(sandbox) = sandbox() else { return };
    let script = "strace -f -qq -o calls pivot --ro --tmpfs /tmp rootfs true; grep -c overlay calls || true";
    assert_eq!(sandbox.shell(script).done().is(0).text(), "0");
}
