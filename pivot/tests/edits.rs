//! Files in memory, links, directories, modes: made in the root, never outside, and undone when the run fails.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use tests::{Sandbox, each};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

/// Names and modes of all below a directory.
fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let mode = entry.metadata().unwrap().mode();
        found.push(format!("{} {mode:o}", entry.path().display()));
        if entry.file_type().unwrap().is_dir() {
            found.extend(names(&entry.path()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_file_has_the_text_and_leaves_only_its_place() {
    let Some(sandbox) = sandbox() else { return };
    let script = "cat /etc/a /etc/b; stat -c '%a %u' /etc/a; echo more >>/etc/a; cat /etc/a; echo x >/etc/b";
    let before = names(&sandbox.path("rootfs"));
    let run = |line: &str| {
        let run = sandbox.run(line).args(["--file", "/etc/a=one\n", "--file", "/etc/b:ro=two=2\n"]);
        let outcome = run.args(["--file", "/etc/c=", "rootfs", "sh", "-c", script]).done().is(1);
        assert_eq!(outcome.says("/etc/b: Read-only").text(), "one\ntwo=2\n644 0\none\nmore");
    };
    run("pivot --ro");
    assert_eq!(names(&sandbox.path("rootfs")), before);
    run("pivot");
    for name in ["a", "b", "c"] {
        assert_eq!(fs::read(sandbox.path("rootfs/etc").join(name)).unwrap(), b"", "{name}");
    }
}

#[test]
fn a_file_can_be_read_from_a_descriptor() {
    let Some(sandbox) = sandbox() else { return };
    let line = "printf '%s' one | pivot --file-fd 0:/a:mode=600,uid=7,gid=8 --file-fd 9:/etc/b:ro rootfs \
        sh -c 'cat /a /etc/b; stat -c \" %a %u %g\" /a; cat; echo 2>/dev/null >/etc/b || echo ro' 9<two";
    sandbox.file("two", b"two\0\xff", 0o644);
    let outcome = sandbox.shell(line).done().is(0).quiet();
    assert_eq!(outcome.out, b"onetwo\0\xff 600 7 8\nro\n");
    let line = "head -c 16777217 /dev/zero | pivot --file-fd 0:/a rootfs true";
    sandbox.shell(line).done().is(125).complains_as("pivot").says("descriptor 0 gives more than 16 MiB");
    let line = "pivot --file-fd 9:/a rootfs true 9<.";
    sandbox
        .shell(line)
        .done()
        .is(125)
        .complains_as("pivot")
        .says("cannot mount a file on /a: Is a directory");
}

#[test]
fn many_files_are_shown_where_they_belong() {
    let Some(sandbox) = sandbox() else { return };
    let mut run = sandbox.run("unshare-rs -pm pivot --tmpfs /t");
    for number in 0..50 {
        run = run.arg("--file").arg(format!("/t/d/{number}=<{number}>"));
    }
    let text = run
        .args([
            "rootfs",
            "sh",
            "-c",
            "cat /t/d/0 /t/d/1 /t/d/49; grep -c /t/d/ /proc/self/mountinfo; grep -c . /proc/self/mountinfo",
        ])
        .done()
        .is(0)
        .quiet()
        .text();
    let (shown, all) = text.rsplit_once('\n').unwrap();
    assert_eq!(shown, "<0><1><49>50");
    let without = sandbox.run("unshare-rs -pm pivot --tmpfs /t rootfs grep -c . /proc/self/mountinfo");
    let without: usize = without.done().is(0).text().parse().unwrap();
    assert_eq!(all.parse::<usize>().unwrap(), without + 50, "the file system behind them is not seen");
}

#[test]
fn links_and_directories_are_made_and_found_again() {
    let Some(sandbox) = sandbox() else { return };
    let line = "pivot --symlink /a/b/c=../x --dir /q/w:mode=1770,uid=3,gid=4 --dir /etc:mode=700 --dir /q/v rootfs sh -c";
    let script = "readlink /a/b/c; stat -c '%a %u %g' /a/b /q/w /q/v /etc";
    for _ in 0..2 {
        let run = sandbox.run(line).arg(script);
        assert_eq!(run.done().is(0).quiet().text(), "../x\n755 0 0\n1770 3 4\n755 0 0\n755 0 0");
    }
    let rows = [
        ("--symlink=/a/b/c=other", "cannot make the link /a/b/c to other: File exists"),
        ("--symlink=/etc=other", "cannot make the link /etc to other: File exists"),
        ("--dir=/bin/sh", "cannot make the directory /bin/sh: Not a directory"),
        ("--dir=/bin/sh/x", "cannot make the directory /bin/sh/x: Not a directory"),
        ("--chmod=/missing=700", "cannot give /missing the mode 0700: No such file or directory"),
        ("--file=/bin/sh/x=y", "cannot mount a file on /bin/sh/x: Not a directory"),
        ("--file=/etc=y", "cannot mount a file on /etc: it is a directory"),
        ("--tmpfs=/bin/sh", "cannot mount a tmpfs on /bin/sh: it is not a directory"),
        ("--remount-ro=/etc", "cannot make /etc read-only: nothing is mounted there"),
    ];
    each(rows, |(option, expected)| {
        drop(
            sandbox
                .run("pivot")
                .args([option, "rootfs", "true"])
                .done()
                .is(125)
                .complains_as("pivot")
                .says(expected),
        );
    });
}

#[test]
fn what_was_mounted_before_is_changed_and_not_what_lies_beneath() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("rootfs/t")).unwrap();
    let line = "pivot --tmpfs /t --dir /t/d --symlink /t/l=d --chmod /t/d=700 --chmod /t=711 --file /t/f=x --chmod /t/f=4755 \
        --remount-ro /t rootfs sh -c";
    let script = "readlink /t/l; stat -c %a /t /t/d /t/f; touch /t/x; echo >/x";
    let outcome = sandbox.run(line).arg(script).done().is(0).says("/t/x: Read-only file system");
    assert_eq!(outcome.text(), "d\n711\n700\n4755");
    assert_eq!(names(&sandbox.path("rootfs/t")), Vec::<String>::new());
    assert_eq!(fs::metadata(sandbox.path("rootfs/t")).unwrap().mode() & 0o777, 0o755);
}

#[test]
fn what_is_read_only_for_the_command_is_changed_before_in_memory() {
    let Some(sandbox) = sandbox() else { return };
    let before = names(&sandbox.path("rootfs"));
    let line = "pivot --ro --symlink /new/l=x --dir /new/d:mode=700 --chmod /etc=700 rootfs sh -c";
    let script = "readlink /new/l; stat -c %a /new/d /etc; touch /new/x";
    let outcome = sandbox.run(line).arg(script).done().is(1).says("Read-only");
    assert_eq!(outcome.text(), "x\n700\n700");
    assert_eq!(names(&sandbox.path("rootfs")), before);
    assert_eq!(fs::metadata(sandbox.path("rootfs/etc")).unwrap().mode() & 0o777, 0o755);
    fs::create_dir(sandbox.path("data")).unwrap();
    let rows = ["--symlink=/d/l=x", "--dir=/d/d", "--chmod=/d=700"];
    let before = names(sandbox.dir());
    each(rows, |option| {
        let run = sandbox.run("pivot --ro --ro-bind data:/d").args([option, "rootfs", "true"]);
        drop(run.done().is(125).complains_as("pivot").says("Read-only file system"));
    });
    // A mount point in it is no change of it.
    sandbox.run("pivot --ro --ro-bind data:/d --file=/d/f=x rootfs grep x /d/f").done().is(0);
    assert_eq!(names(sandbox.dir()), before);
}

#[test]
fn the_root_can_be_made_read_only_last() {
    let Some(sandbox) = sandbox() else { return };
    let line = "pivot --dir /made --remount-ro / --tmpfs /made/later rootfs sh -c";
    let outcome = sandbox.run(line).arg("touch /made/x; touch /made/later/x && echo later").done().is(0);
    assert_eq!(outcome.says("/made/x: Read-only").text(), "later");
}

#[test]
fn a_change_does_not_take_the_place_of_a_default() {
    let Some(sandbox) = sandbox() else { return };
    let line = "unshare-rs -pm pivot --remount-ro /dev --chmod /dev/null=600 --remount-ro /proc --symlink /dev/pts/x=y rootfs true";
    let outcome = sandbox.run(line).done().is(125).complains_as("pivot");
    outcome.says("cannot give /dev/null the mode 0600: Read-only file system");
    let line = "unshare-rs -pm pivot --chmod /dev/null=600 --symlink /dev/l=null --remount-ro /dev --remount-ro /proc rootfs sh -c";
    let script =
        "stat -c %a /dev/null; readlink /dev/l; touch /dev/shm/x /dev/x; echo 1 >/proc/self/oom_score_adj";
    let outcome = sandbox.run(line).arg(script).done().is(1);
    assert_eq!(outcome.says("/dev/x: Read-only").says("oom_score_adj: Read-only").text(), "600\nnull");
    assert_eq!(fs::metadata("/dev/null").unwrap().mode() & 0o777, 0o666);
}

#[test]
fn what_fails_leaves_no_trace() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("data")).unwrap();
    let all = "--symlink /s/l=x --dir /d/d:mode=700 --chmod /etc=700 --chmod /etc=711 --file /f/f=x --bind data:/b/b";
    let last = [
        "--chmod /missing=700",
        "--symlink /etc=x",
        "--remount-ro /etc",
        "--bind missing:/c",
        "--dir /bin/sh/x",
        "--mount tmpfs:/c:bogus",
        "--chdir /missing",
        "--bind data:/bin/sh",
    ];
    let before = names(sandbox.dir());
    each(last, |last| {
        drop(sandbox.run(&format!("pivot {all} {last} rootfs true")).done().is(125).complains_as("pivot"));
        assert_eq!(names(sandbox.dir()), before, "{last}");
    });
}

#[test]
fn no_link_leads_a_change_outside() {
    let Some(sandbox) = sandbox() else { return };
    fs::create_dir(sandbox.path("canary")).unwrap();
    sandbox.file("canary/f", "alive", 0o644);
    let before = names(&sandbox.path("canary"));
    let far = format!("{}{}", "../".repeat(20), sandbox.path("canary").display());
    let ways = [sandbox.path("canary").display().to_string(), "../canary".to_owned(), far];
    let options = [
        "--symlink=/lnk/x=y",
        "--dir=/lnk/x",
        "--chmod=/lnk=700",
        "--chmod=/lnk/f=700",
        "--file=/lnk/f=x",
        "--file=/lnk/y=x",
    ];
    each(ways, |way| {
        let link = sandbox.path("rootfs/lnk");
        let _ = fs::remove_file(&link);
        symlink(way, &link).unwrap();
        for option in options {
            sandbox.run("pivot").args([option, "rootfs", "true"]).done();
        }
        assert_eq!(names(&sandbox.path("canary")), before);
        assert_eq!(fs::read(sandbox.path("canary/f")).unwrap(), b"alive");
    });
    for way in ["/proc/self/cwd/canary", "/proc/1/root", "/proc/self/fd/9"] {
        let link = sandbox.path("rootfs/lnk");
        fs::remove_file(&link).unwrap();
        symlink(way, &link).unwrap();
        for option in options {
            sandbox.run("unshare-rs -pm pivot").args([option, "rootfs", "true"]).done();
        }
        assert_eq!(names(&sandbox.path("canary")), before, "{way}");
    }
}

#[test]
fn a_link_that_exists_is_a_file_of_the_root_like_any_other() {
    let Some(sandbox) = sandbox() else { return };
    let _ = fs::remove_file(sandbox.path("rootfs/etc/resolv.conf"));
    symlink("/run/resolv", sandbox.path("rootfs/etc/resolv.conf")).unwrap();
    let run = sandbox.run("pivot --file /etc/resolv.conf=x --chmod /etc/resolv.conf=600 rootfs sh -c");
    let outcome = run.arg("cat /run/resolv; stat -c ' %a' /run/resolv").done().is(0).quiet();
    assert_eq!(outcome.text(), "x 600");
    assert_eq!(fs::metadata(sandbox.path("rootfs/run/resolv")).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_user_without_rights_may_change_its_own_root() {
    let sandbox = Sandbox::user().with_own_root();
    tests::shared::give_all(&sandbox.path("rootfs"), Some(tests::shared::NOBODY_ELSE));
    let line = "unshare-rs -Urpm pivot --file /etc/a=x --symlink /l=x --dir /d:mode=700 --chmod /etc=711 rootfs sh -c";
    let script = "cat /etc/a; readlink /l; stat -c %a /d /etc";
    assert_eq!(sandbox.run(line).arg(script).done().is(0).quiet().text(), "xx\n700\n711");
    let line = "unshare-rs -Urpm pivot --dir /e:uid=5 rootfs true";
    let outcome = sandbox.run(line).done().is(125).complains_as("pivot");
    outcome.says("cannot make the directory /e: Invalid argument");
    assert!(!sandbox.path("rootfs/e").exists());
}
