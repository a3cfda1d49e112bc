//! New file systems: each with its defaults and its options.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::{Sandbox, each};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

/// Place, type, options of the mount and options of the file system, of what is mounted on `place`.
fn mounted(sandbox: &Sandbox, options: &[&str], place: &str) -> String {
    let run =
        sandbox.run("unshare-rs -pm pivot").args(options).args(["rootfs", "cat", "/proc/self/mountinfo"]);
    let table = run.done().is(0).quiet().text();
    let words = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        (words[4] == place).then(|| format!("{} {} {}", words[7], words[5], words[9]))
    };
    table.lines().filter_map(words).collect::<Vec<_>>().join("\n")
}

#[test]
fn each_has_the_flags_of_docker_unless_told_otherwise() {
    let Some(sandbox) = sandbox() else { return };
    let rows: [(&[&str], &str, &str); 16] = [
        (&["--tmpfs", "/t"], "/t", "tmpfs rw,nosuid,nodev,relatime rw"),
        (
            &["--tmpfs", "/t:size=1M,mode=0700,nr_inodes=10,uid=5,gid=6,noexec"],
            "/t",
            "tmpfs rw,nosuid,nodev,noexec,relatime rw,size=1024k,nr_inodes=10,mode=700,uid=5,gid=6",
        ),
        (&["--tmpfs", "/t:suid,dev,ro,noatime"], "/t", "tmpfs ro,noatime rw"),
        (&["--proc"], "/proc", "proc rw,nosuid,nodev,noexec,relatime rw"),
        (&["--proc=pid"], "/proc", "proc rw,nosuid,nodev,noexec,relatime rw,subset=pid"),
        (
            &["--proc=/p:pid,hidepid=2,ro"],
            "/p",
            "proc ro,nosuid,nodev,noexec,relatime rw,hidepid=invisible,subset=pid",
        ),
        (&["--proc=:ro"], "/proc", "proc ro,nosuid,nodev,noexec,relatime rw"),
        (&["--sys"], "/sys", "sysfs ro,nosuid,nodev,noexec,relatime rw"),
        (&["--sys=rw"], "/sys", "sysfs rw,nosuid,nodev,noexec,relatime rw"),
        (&["--bare", "--proc", "--dev=/dev:size=1M"], "/dev", "tmpfs rw,nosuid rw,size=1024k,mode=755"),
        (&["--shm"], "/dev/shm", "tmpfs rw,nosuid,nodev,noexec,relatime rw,size=65536k"),
        (&["--shm=size=1M"], "/dev/shm", "tmpfs rw,nosuid,nodev,noexec,relatime rw,size=1024k"),
        (&["--devpts"], "/dev/pts", "devpts rw,nosuid,noexec,relatime rw,gid=5,mode=620,ptmxmode=666"),
        (
            &["--devpts=mode=600,max=3"],
            "/dev/pts",
            "devpts rw,nosuid,noexec,relatime rw,gid=5,mode=600,ptmxmode=666,max=3",
        ),
        (&["--mqueue=ro"], "/dev/mqueue", "mqueue ro,nosuid,nodev,noexec,relatime rw"),
        (&["--mount", "tmpfs:/t:source=x,size=1M,nosuid"], "/t", "tmpfs rw,nosuid,relatime rw,size=1024k"),
    ];
    each(rows, |(options, place, expected)| {
        assert_eq!(mounted(&sandbox, options, place), expected, "{options:?}");
    });
}

#[test]
fn a_proc_of_processes_only_has_nothing_to_hide() {
    let Some(sandbox) = sandbox() else { return };
    let script =
        "ls /proc | grep -v '^[0-9]'; grep -c /proc /proc/self/mountinfo; echo 5 >/proc/self/oom_score_adj";
    let run = sandbox.run("unshare-rs -pm pivot --proc=pid rootfs sh -c").arg(script);
    assert_eq!(run.done().is(0).quiet().text(), "self\nthread-self\n1");
}

#[test]
fn proc_can_be_had_without_a_new_pid_namespace_and_is_masked_too() {
    let Some(sandbox) = sandbox() else { return };
    let script =
        "test -e /proc/self && ! test -s /proc/keys && ! echo x 2>/dev/null >/proc/sys/kernel/hostname";
    sandbox.run("pivot --proc rootfs sh -c").arg(script).done().is(0).quiet();
    sandbox.run("pivot --bare --proc=/a/b rootfs test -e /a/b/self").done().is(0).quiet();
}

#[test]
fn control_groups_are_read_only_and_begin_at_the_own_one() {
    let Some(sandbox) = sandbox() else { return };
    let script = "cat /proc/self/cgroup | cut -d: -f3 | sort -u
        grep -c 'cgroup2* ' /proc/self/mountinfo; test $(wc -l </proc/self/cgroup) = $(grep -c ' - cgroup' /proc/self/mountinfo) && echo all
        for d in /sys/fs/cgroup /sys/fs/cgroup/memory /sys/fs/cgroup/unified; do if test -e $d; then ! mkdir $d/x 2>/dev/null || echo $d; fi; done
        find /sys/fs/cgroup -name cgroup.procs | grep -q . && echo here";
    let line = "cgctl new m=64M -- unshare-rs -pm pivot --cgroup rootfs sh -c";
    let text = sandbox.run(line).arg(script).done().is(0).text();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], &lines[2..]), ("/", &["all", "here"][..]), "{text}");
}

#[test]
fn control_groups_can_be_writable() {
    let Some(sandbox) = sandbox() else { return };
    let script = "for d in /sys/fs/cgroup/memory /sys/fs/cgroup; do if test -e $d/cgroup.procs; then
        mkdir $d/x && rmdir $d/x && echo writable; exit; fi; done";
    let line = "cgctl new m=64M -- unshare-rs -pm pivot --cgroup=rw rootfs sh -c";
    assert_eq!(sandbox.run(line).arg(script).done().is(0).quiet().text(), "writable");
}

#[test]
fn the_caller_stays_in_its_cgroup_namespace() {
    let Some(sandbox) = sandbox() else { return };
    let line = "a=$(readlink /proc/self/ns/cgroup); b=$(pivot --proc --cgroup rootfs readlink /proc/self/ns/cgroup)
        c=$(pivot --proc rootfs readlink /proc/self/ns/cgroup); test $a != $b; test $a = $c; test $a = $(readlink /proc/self/ns/cgroup)";
    sandbox.shell(line).done().is(0).quiet();
}

#[test]
fn a_refusal_is_told_in_the_words_of_the_file_system() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("tmpfs:/t:bogus=1", "cannot mount tmpfs on /t: tmpfs: Unknown parameter 'bogus'"),
        ("tmpfs:/t:size=x", "cannot mount tmpfs on /t: tmpfs: Bad value for 'size'"),
        ("no-such:/t", "cannot mount no-such on /t: the kernel has no such file system"),
        ("ext4:/t:source=/missing,ro", "cannot mount ext4 on /t: "),
        ("tmpfs:/t:ro=1", "ro takes no value"),
        ("tmpfs:t", "DST is not absolute"),
        ("tmpfs", "it has no colon after TYPE"),
    ];
    each(rows, |(value, expected)| {
        let run = sandbox.run("pivot --mount").args([value, "rootfs", "true"]);
        drop(run.done().is(125).complains_as("pivot").says(expected));
    });
    let long = format!("tmpfs:/t:source={}", "x".repeat(256));
    sandbox.run("pivot --mount").args([&long, "rootfs"]).done().is(125).says("longer than 255 bytes");
    assert!(!sandbox.path("rootfs/t").exists());
}

#[test]
fn a_place_or_a_value_may_have_the_separators_in_it() {
    let Some(sandbox) = sandbox() else { return };
    let shown = mounted(&sandbox, &["--mount", r"tmpfs:/a\:b:size=1M"], "/a:b");
    assert_eq!(shown, "tmpfs rw,relatime rw,size=1024k");
    let run = sandbox.run("unshare-rs -pm pivot --mount").arg(r"tmpfs:/t:source=a\,b");
    run.args(["rootfs", "grep", " a,b ", "/proc/self/mountinfo"]).done().is(0);
}

#[test]
fn options_that_make_no_sense_are_refused_before_anything_is_done() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        ("--tmpfs=/t:size=1x", "size=1x is wrong: it is a number of bytes"),
        ("--tmpfs=/t:sise=1", "sise=1 is no option here; if it belongs to the name, add :rw"),
        ("--tmpfs=/t:norec,ro", "norec is no option here"),
        ("--tmpfs=/t:mode=9", "mode=9 is wrong: it is an octal number"),
        ("--tmpfs=/t:uid", "uid needs a value"),
        ("--proc=nosuch", "it is neither an absolute path nor an option"),
        ("--proc=pid=1", "pid takes no value"),
        ("--sys=size=1", "size=1 is no option here"),
        ("--shm=/x/../y", "DST has a .. in it"),
    ];
    each(rows, |(option, expected)| {
        let outcome =
            sandbox.run("pivot").args([option, "no-such-root"]).done().is(125).complains_as("pivot");
        drop(outcome.says(expected));
    });
}

#[test]
fn a_user_without_rights_gets_them_in_a_user_namespace() {
    let sandbox = Sandbox::user().with_own_root();
    tests::shared::give_all(&sandbox.path("rootfs"), Some(tests::shared::NOBODY_ELSE));
    let line = "unshare-rs -Urpmi pivot --tmpfs /t:size=1M --proc=pid --shm=size=1M --devpts --mqueue --cgroup --mount tmpfs:/u rootfs sh -c";
    let script = "for p in /t /proc /dev/shm /dev/pts /dev/mqueue /sys/fs/cgroup /u; do grep -q \" $p \" /proc/self/mountinfo || echo $p; done; ! touch /sys/fs/cgroup/x 2>/dev/null";
    assert_eq!(sandbox.run(line).arg(script).done().is(0).quiet().text(), "");
    let outcome =
        sandbox.run("unshare-rs -Urpm pivot --mqueue rootfs true").done().is(125).complains_as("pivot");
    outcome
        .says("cannot mount message queues on /dev/mqueue: Operation not permitted")
        .says("add -i to unshare-rs");
    let line = "unshare-rs -Urm pivot --mount ext4:/t:source=/dev/null rootfs true";
    let outcome = sandbox.run(line).done().is(125).complains_as("pivot");
    outcome.says("cannot mount ext4 on /t: ");
}

#[test]
fn an_outer_container_that_hides_things_is_named() {
    let Some(sandbox) = sandbox() else { return };
    for tool in ["pivot", "unshare-rs"] {
        tests::program::copy(tests::bin(tool), sandbox.path("rootfs/bin").join(tool));
    }
    let line = "unshare-rs -pm pivot --bind rootfs:/tmp rootfs unshare-rs -Urpm pivot";
    each(["", "--proc=pid"], |option| {
        let run = sandbox.run(line).args([option, "/tmp", "true"].iter().filter(|word| !word.is_empty()));
        drop(
            run.done()
                .is(125)
                .complains_as("pivot")
                .says("cannot mount proc on /proc: ")
                .says("an outer container hides"),
        );
    });
    let run = sandbox
        .run("unshare-rs -pm pivot --unmask all --bind rootfs:/tmp rootfs unshare-rs -Urpm pivot /tmp true");
    run.done().is(0).quiet();
}
