//! Binds: where they come from, and how they are shown.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown};
use tests::{Sandbox, each};

/// A sandbox whose root no other test sees, with a directory to bind.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?.with_own_root();
    fs::create_dir(sandbox.path("data")).unwrap();
    sandbox.file("data/f", "content", 0o644);
    Some(sandbox)
}

/// The options of the mount on /d, as the command sees them.
const OPTIONS: &str = "grep ' /d ' /proc/self/mountinfo | cut -d' ' -f6";

#[test]
fn options_become_attributes_of_the_mount() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("", "rw,relatime"),
        (":ro", "ro,relatime"),
        (":ro,rw", "rw,relatime"),
        (":nosuid,nodev,noexec,nosymfollow", "rw,nosuid,nodev,noexec,relatime,nosymfollow"),
        (":noatime,nodiratime", "rw,noatime,nodiratime"),
        (":strictatime", "rw"),
        (":noatime,relatime", "rw,relatime"),
        (":nodev,dev,noexec,exec,nosuid,suid", "rw,relatime"),
    ];
    each(rows, |(options, expected)| {
        let script = "mount -t tmpfs x data; exec unshare-rs -pm pivot --bind data:/d$0 rootfs sh -c \"$1\"";
        let run = sandbox.run("unshare -m sh -ec").args([script, options, OPTIONS]);
        assert_eq!(run.done().is(0).quiet().text(), expected, "{options}");
    });
}

#[test]
fn attributes_go_all_the_way_down_and_can_be_taken_back() {
    let Some(sandbox) = sandbox() else { return };
    let script = "mount -t tmpfs x data; mkdir data/sub; mount -t tmpfs -o nodev,noexec,ro x data/sub
        show() { unshare-rs -pm pivot --bind data:/d$1 rootfs sh -c \"grep ' /d[ /]' /proc/self/mountinfo | cut -d' ' -f5,6\"; }
        show :nosuid; show :dev,exec,rw; show :noatime,norec";
    let text = sandbox.run("unshare -m sh -ec").arg(script).done().is(0).quiet().text();
    let expected = "/d rw,nosuid,relatime\n/d/sub ro,nosuid,nodev,noexec,relatime\n\
        /d rw,relatime\n/d/sub ro,relatime\n/d rw,noatime";
    assert_eq!(text, expected);
}

#[test]
fn the_ro_forms_are_read_only_whatever_the_options_say() {
    let Some(sandbox) = sandbox() else { return };
    let lines = [
        "pivot --ro-bind data:/d",
        "pivot --ro-bind data:/d:rw",
        "pivot --ro-bind-try data:/d",
        "pivot --ro-bind-fd 0:/d",
    ];
    each(lines, |line| {
        let script = "cat /d/f; touch /d/new";
        let words = format!("{line} rootfs sh -c \"$0\" <data");
        let outcome = sandbox.shell(&words).arg(script).done().is(1);
        assert_eq!(outcome.says("Read-only file system").text(), "content", "{line}");
    });
}

#[test]
fn try_forgives_a_missing_source_and_nothing_else() {
    let Some(sandbox) = sandbox() else { return };
    let line =
        "pivot --bind-try missing:/d --ro-bind-try data/missing:/e --bind-try missing:/s:slave rootfs ls -d";
    sandbox.run(line).args(["/d", "/e", "/s"]).done().is(1).says("/d: No such").says("/e: No").says("/s: No");
    let rows = [
        ("pivot --bind missing:/d rootfs true", "cannot mount missing on /d: No such file or directory"),
        ("pivot --bind-try data/f/x:/d rootfs true", "cannot mount data/f/x on /d: Not a directory"),
        ("pivot --ro-bind-try data:/bin/sh rootfs true", "one is a directory and the other is not"),
    ];
    each(rows, |(line, expected)| {
        drop(sandbox.run(line).done().is(125).complains_as("pivot").says(expected));
    });
}

#[test]
fn a_descriptor_is_bound_whichever_way_it_was_opened() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("pivot --bind-fd 9:/d rootfs cat /d/f 9<data", "content"),
        ("pivot --bind-fd 9:/d/f rootfs cat /d/f 9<data/f", "content"),
        ("unshare-rs -pm pivot --bind-fd 9:/d rootfs cat /d/f 9<data", "content"),
        // Its name is another's now.
        ("exec 9<data; mv data old; mkdir data; pivot --bind-fd 9:/d rootfs cat /d/f", "content"),
        ("exec 9<data; mv data new; exec unshare-rs -pm pivot --bind-fd 9:/d rootfs cat /d/f", "content"),
    ];
    for (line, expected) in rows {
        assert_eq!(sandbox.shell(line).done().is(0).quiet().text(), expected, "{line}");
        let _ = fs::rename(sandbox.path("old"), sandbox.path("data"));
        let _ = fs::rename(sandbox.path("new"), sandbox.path("data"));
    }
}

#[test]
fn a_descriptor_that_leads_nowhere_is_told() {
    let Some(sandbox) = sandbox() else { return };
    let elsewhere = "belongs to another mount namespace, and no path leads to the same file here";
    let rows = [
        ("pivot --bind-fd 99:/d rootfs true", "cannot mount descriptor 99 on /d: descriptor 99 is not open"),
        ("pivot --file-fd 99:/d rootfs true", "cannot mount a file on /d: descriptor 99 is not open"),
        (
            "exec unshare-rs -pm sh -c 'mount -t tmpfs x data; exec pivot --bind-fd 9:/d rootfs true' 9<data",
            elsewhere,
        ),
        ("exec unshare-rs -pm sh -c 'rm data/f; exec pivot --bind-fd 9:/d rootfs true' 9<data/f", elsewhere),
    ];
    each(rows, |(line, expected)| {
        drop(sandbox.shell(line).done().is(125).complains_as("pivot").says(expected));
    });
    // It is closed, as all others are.
    let outcome = sandbox.shell("exec unshare-rs -pm pivot --bind-fd 9:/d rootfs ls /proc/self/fd/9 9<data");
    outcome.done().is(1);
}

/// Whether the file system of the sandbox can map ids: tmpfs can since Linux 6.3.
fn can_map(sandbox: &Sandbox) -> bool {
    let tried = sandbox.run("pivot --bind data:/d:idmap=0:0:1 rootfs true").done();
    let can = !tried.talk().contains("cannot map ids");
    if !can {
        tests::skip("the file system of the temporary directory cannot map ids");
    }
    can
}

#[test]
fn owners_are_shown_as_the_map_says() {
    let Some(sandbox) = sandbox().filter(can_map) else { return };
    chown(sandbox.path("data/f"), Some(1000), Some(2000)).unwrap();
    let rows = [
        ("idmap=0:10000:5000", "11000 12000"),
        ("idmap=u:1000:0:1+g:2000:0:1", "0 0"),
        ("idmap=u:1000:7:1", "7 2000"),
        ("idmap=g:2000:7:1", "1000 7"),
        ("idmap=u:1000:7:1+g:2000:8:1", "7 8"),
        ("idmap=1:1:1", "65534 65534"),
    ];
    for prefix in ["", "unshare-rs -pm "] {
        each(rows, |(options, expected)| {
            let bind = format!("data:/d:{options}");
            let run = sandbox.run(&format!("{prefix}pivot --bind")).arg(&bind);
            let run = run.args(["rootfs", "stat", "-c", "%u %g", "/d/f"]);
            assert_eq!(run.done().is(0).quiet().text(), expected, "{prefix}{options}");
        });
    }
    let script = "echo >/d/new; stat -c %u /d/new";
    let run = sandbox.run("pivot --bind data:/d:idmap=1000:0:1+0:1000:1 rootfs sh -c").arg(script);
    assert_eq!(run.done().is(0).quiet().text(), "0");
    assert_eq!(fs::metadata(sandbox.path("data/new")).unwrap().uid(), 1000);
}

#[test]
fn a_map_can_be_that_of_a_user_namespace() {
    let Some(sandbox) = sandbox().filter(can_map) else { return };
    let script =
        "unshare-rs -U --map-users 0:5000:10 --map-groups 0:6000:10 sh -c 'echo; exec cat' <fifo >ready &
        exec 9>fifo; read x <ready; for pid in $(cat /proc/$!/task/$!/children) $!; do
          case $(readlink /proc/$pid/ns/user) in $(readlink /proc/self/ns/user)) ;; *) user=$pid;; esac; done
        pivot --bind data:/d:idmap=/proc/$user/ns/user rootfs stat -c '%u %g' /d/f; exec 9>&-; wait";
    let text = sandbox.shell(&format!("mkfifo fifo ready; {script}")).done().is(0).text();
    assert_eq!(text, "5000 6000");
    // Root of a user namespace may map what was mounted in it.
    let script =
        "mount -t tmpfs x data; touch data/f; pivot --bind data:/d:idmap=0:1:1 rootfs stat -c %u /d/f";
    let run = sandbox.run("unshare-rs -Um --map-users 0:0:2 --map-groups 0:0:2 sh -ec").arg(script);
    assert_eq!(run.done().is(0).text(), "1");
}

#[test]
fn a_map_that_cannot_be_is_explained() {
    let Some(sandbox) = sandbox().filter(can_map) else { return };
    let rows = [
        ("data:/d:idmap", "idmap needs a value: idmap=MAP"),
        ("data:/d:idmap=/proc/self/ns/user", "/proc/self/ns/user is the first user namespace"),
        ("data:/d:idmap=/proc/self/ns/net", "it is not a user namespace"),
        ("data:/d:idmap=./data/f", "cannot map ids as ./data/f does: it is not a user namespace"),
        ("data:/d:idmap=/missing", "cannot map ids as /missing does: No such file"),
        ("/proc:/d:idmap=0:1:1", "its file system, or one that is mounted in it, cannot map ids"),
        ("/proc:/d:idmap=0:1:1,norec", "its file system cannot map ids"),
        ("data:/d:idmap=0:1:1+0:2:1", "cannot map user ids: 0:1:1 and 0:2:1 overlap"),
        ("data:/d:idmap=0:1", "MAP is INSIDE:OUTSIDE:COUNT"),
    ];
    each(rows, |(bind, expected)| {
        let run = sandbox.run("pivot --bind").args([bind, "rootfs", "true"]);
        drop(run.done().is(125).complains_as("pivot").says(expected));
    });
    let user = Sandbox::user();
    let line = "unshare-rs -Urm pivot --bind .:/tmp:idmap=0:0:1 rootfs true";
    user.run(line)
        .done()
        .is(125)
        .complains_as("pivot")
        .says("needs root of the user namespace that the file system belongs to");
}

/// What is mounted on s/a outside is looked for inside, and the other way round with s/b.
const BOTH_WAYS: &str = "mkdir s; mount -t tmpfs x s; mkdir s/a s/b; mount --make-shared s; mkfifo go back
    pivot $1 rootfs sh -ec 'echo; read x; mount -t tmpfs z /d/b; touch /d/b/y; if test -e /d/a/y; then echo in; fi' <go >back 9<s &
    exec 5>go 6<back; read x <&6; mount -t tmpfs y s/a; touch s/a/y; echo >&5; cat <&6; wait $!
    if test -e s/b/y; then echo out; fi; umount -R s; rm -r s go back";

#[test]
fn ties_to_the_outside_are_kept_as_asked() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("--bind s:/d", ""),
        ("--bind s:/d:private", ""),
        ("--bind s:/d:slave", "in"),
        ("--bind s:/d:shared", "in\nout"),
        ("--bind-fd 9:/d", ""),
        ("--bind-fd 9:/d:slave", "in"),
        ("--bind-fd 9:/d:shared", "in\nout"),
    ];
    each(rows, |(option, expected)| {
        let run = sandbox.run("unshare -m sh -euc").arg(BOTH_WAYS.replace("$1", option));
        assert_eq!(run.done().is(0).quiet().text(), expected, "{option}");
    });
    let script = "mkdir /q; mount --bind /d /q";
    let outcome =
        sandbox.run("unshare-rs -pm pivot --bind data:/d:unbindable rootfs sh -c").arg(script).done();
    outcome.is(255).says("Invalid argument");
}

#[test]
fn ties_that_are_not_there_cannot_be_kept() {
    let Some(sandbox) = sandbox() else { return };
    each(["slave", "shared"], |option| {
        let line = format!("unshare-rs -pm pivot --bind data:/d:{option} rootfs true");
        let outcome = sandbox.run(&line).done().is(125).complains_as("pivot");
        drop(
            outcome
                .says("cannot mount data on /d: it does not lie on a shared mount here")
                .says("--make-shared"),
        );
    });
}

#[test]
fn names_may_have_any_byte() {
    let Some(sandbox) = sandbox() else { return };
    let odd = OsStr::from_bytes(b"a b,:ro=\n\\\x1b\xff");
    fs::rename(sandbox.path("data"), sandbox.dir().join(odd)).unwrap();
    let bind = [odd.as_bytes(), b":/", odd.as_bytes(), b":ro"].concat();
    let file = [b"/", odd.as_bytes(), b"/f"].concat();
    let run = sandbox.run("pivot --bind").arg(OsStr::from_bytes(&bind)).args(["rootfs", "cat"]);
    assert_eq!(run.arg(OsStr::from_bytes(&file)).done().is(0).quiet().text(), "content");
}

#[test]
fn a_device_of_the_host_can_be_added() {
    let Some(sandbox) = sandbox() else { return };
    let script = "mount -t tmpfs -o nodev x data; mknod data/zero c 1 5
        pivot $1 rootfs sh -c 'head -c 2 /dev/of/host/zero | wc -c'";
    let run = |bind: &str| sandbox.run("unshare -m sh -ec").arg(script.replace("$1", bind)).done();
    assert_eq!(run("--bind data/zero:/dev/of/host/zero:dev").is(0).quiet().text(), "2");
    run("--bind data/zero:/dev/of/host/zero").says("Permission denied");
    assert!(!sandbox.path("rootfs/dev/of").exists());
}

#[test]
fn a_user_without_rights_may_bind_too() {
    let sandbox = Sandbox::user().with_own_root();
    tests::shared::give_all(&sandbox.path("rootfs"), Some(tests::shared::NOBODY_ELSE));
    sandbox.file("f", "content", 0o644);
    let line =
        "unshare-rs -Urpm pivot --ro-bind .:/d:nosuid,nodev,noexec --bind-fd 9:/e rootfs cat /d/f /e/f 9<.";
    assert_eq!(sandbox.shell(line).done().is(0).quiet().text(), "contentcontent");
    let line = "mkdir m; exec unshare-rs -Urm sh -c 'mount -t tmpfs -o ro,nodev x m; exec unshare-rs -Urm pivot --bind m:/d:$1 rootfs true'";
    sandbox.shell(&line.replace("$1", "rw")).done().is(0).quiet();
    let outcome = sandbox.shell(&line.replace("$1", "dev").replace("mkdir m;", "")).done().is(125);
    outcome
        .complains_as("pivot")
        .says("cannot mount m on /d: Operation not permitted")
        .says("keeps its options");
}
