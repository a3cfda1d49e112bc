//! What overlays refuse and what they leave behind; overlays among the mounts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod two_layers;

use nix::sys::signal::Signal;
use std::fs;
use tests::{Sandbox, each, eventually, names};
use two_layers::sandbox;

#[test]
fn what_cannot_be_meant_is_refused_and_leaves_no_trace() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.shell("mkdir foreign used used.work used.work/work; touch foreign/x used.work/work/x; ln -s none dangling").done().is(0);
    let rows = [
        ("--layer missing", "cannot use missing as a layer: No such file or directory"),
        ("--layer a/file", "cannot use a/file as a layer: Not a directory"),
        ("--layer a --layer b --layer ./a/../a", "a and ./a/../a are the same directory"),
        ("--layer a --layer a/inner", "the layer a/inner lies in the layer a"),
        ("--layer a/inner --layer a", "the layer a/inner lies in the layer a"),
        ("--layer a --layer /proc", "/proc is on proc, which cannot be a layer"),
        ("--layer a --upper a", "cannot use a as the upper directory: it is the layer a"),
        ("--layer a/inner --upper a", "cannot use a as the upper directory: the layer a/inner lies in it"),
        ("--layer a --upper up --work a", "cannot use a as the work directory: it is the layer a"),
        (
            "--layer a --upper b --work b",
            "cannot use b as the work directory: b is the upper directory already",
        ),
        ("--layer a --upper up --work up", "up is the upper directory already"),
        ("--layer a --upper b --work b/inner", "it lies in the upper directory b"),
        ("--layer a --upper b --work b/new", "it lies in the upper directory b"),
        ("--layer a --upper b/inner --work b", "the upper directory b/inner lies in it"),
        ("--layer a --upper b --work /dev/shm/pivot-none", "it is not on the same mount as b"),
        ("--layer a --upper b --work foreign", "overlayfs would delete x, which is in it"),
        (
            "--layer a --upper used",
            "cannot use used.work as the work directory: overlayfs would delete work/x",
        ),
        ("--layer a --upper up/deep", "cannot use up/deep as the upper directory: No such file"),
        ("--layer a --upper a/file", "cannot use a/file as the upper directory: Not a directory"),
        ("--layer a --upper dangling", "cannot use dangling as the upper directory: No such file"),
        ("--layer a --upper /", "cannot use / as the upper directory: it is the root"),
        ("--layer a --upper up --work /proc/none", "cannot use /proc/none as the work directory"),
        ("--layer a --upper up --chdir /none", "cannot start in /none"),
        ("--layer a --layer b --upper up --tmpfs /file/x", "cannot mount a tmpfs on /file/x"),
        ("--overlay-src a --overlay up:/x --bind none:/y rootfs", "cannot mount none on /y"),
        ("--overlay-src a --overlay up:/x --chdir /none rootfs", "cannot start in /none"),
        (
            "--overlay-src a --overlay-src a/inner --overlay up:/x rootfs",
            "mount an overlay on /x: the layer a/inner",
        ),
        ("--overlay up:/x rootfs", "cannot mount an overlay on /x: it has no layers"),
        ("--overlay-src a rootfs", "cannot use a as a layer: no overlay follows it"),
        ("--overlay-src a --ro-overlay / rootfs", "DST is the root itself"),
        ("--overlay-src a --overlay :/x rootfs", "UPPER is empty"),
        ("--overlay-src a --overlay up:/x:work rootfs", "work needs a value: work=VALUE"),
        ("--overlay-src a --overlay up:/x:work= rootfs", "work directory"),
        ("--overlay-src a --overlay up:/x:work=up/w rootfs", "work directory"),
        ("--overlay-src a --overlay up rootfs", "no absolute path DST stands after a colon"),
        ("--upper up rootfs", "--layer <DIR> is missing"),
        ("--layer a --work up", "--upper <DIR> is missing"),
        ("--layer a --upper-size 1x", "it is a number of bytes, of k, m or g"),
        ("--layer a --upper up --upper-size 1M", "it does not go with --upper-size"),
    ];
    let before = names(sandbox.dir());
    each(rows, |(options, expected)| {
        sandbox.run(&format!("pivot {options} true")).done().is(125).complains_as("pivot").says(expected);
        assert_eq!(names(sandbox.dir()), before, "{options}");
    });
}

#[test]
fn file_systems_that_cannot_keep_changes_are_named() {
    let Some(sandbox) = sandbox() else { return };
    let rows = [
        (
            "mount -t tmpfs -o ro x m",
            "--layer a --upper m/up",
            "make the upper directory m/up: Read-only file system",
        ),
        (
            "mount -t tmpfs x m",
            "--layer a --upper m",
            "cannot use m.work as the work directory: it is not on the same",
        ),
        (
            "mkdir d d/u d/w; mount -t overlay -o lowerdir=a,upperdir=d/u,workdir=d/w x m",
            "--layer b --upper m/up",
            "m/up is on overlay, which cannot keep changes",
        ),
        (
            "mkdir n; mount -t overlay -o lowerdir=a:b x n; mount -t overlay -o lowerdir=n:a x m",
            "--layer m --layer b",
            "m is on an overlay of overlays already, and the kernel stacks no more than two",
        ),
    ];
    each(rows, |(mount, options, expected)| {
        let script = format!("rm -rf d n m; mkdir m; {mount}; pivot {options} true || {{ ls m; exit 125; }}");
        let outcome = sandbox.run("unshare -m sh -ec").arg(script).done().is(125).says(expected);
        assert!(!outcome.text().contains("up"), "{outcome}");
    });
}

#[test]
fn an_upper_directory_is_used_by_one_run_at_a_time() {
    let Some(root) = sandbox() else { return };
    each([(root, ""), (Sandbox::user(), "unshare-rs -Urm ")], |(sandbox, before)| {
        let line = |more: &str| sandbox.run(&format!("{before}pivot --layer rootfs {more}"));
        let job = line("--upper up sh -c").arg("echo ready; exec sleep 60").start();
        job.until("ready");
        let taken = line("--upper up true").done().is(125).complains_as("pivot");
        taken.says("cannot use up as the upper directory: another overlay uses it for its changes");
        line("--upper other --work up.work true")
            .done()
            .is(125)
            .says("cannot use up.work as the work directory");
        assert!(!sandbox.path("other").exists());
        line("--layer up true").done().is(0);
        job.signal(Signal::SIGKILL);
        eventually("the upper directory is free", || line("--upper up true").done().status == 0);
        drop(job);
    });
}

#[test]
fn an_upper_directory_can_have_a_lock_of_its_callers() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.shell("mkdir up; flock up pivot --layer rootfs --upper up true").done().is(0).quiet();
}

#[test]
fn overlays_show_the_layers_before_them() {
    let Some(root) = sandbox() else { return };
    let user = Sandbox::user();
    user.run("mkdir -p a/inner b/inner").done().is(0);
    for name in ["a/file", "b/file", "a/a", "b/b"] {
        user.file(name, name, 0o644);
    }
    each([(root, ""), (user, "unshare-rs -Urm ")], |(sandbox, before)| {
        let line = format!(
            "{before}pivot --bare --tmpfs /tmp --overlay-src a --overlay-src b --tmp-overlay /tmp/lost \
             --overlay-src b --overlay-src a --overlay up:x:/tmp/kept --overlay-src a --ro-overlay /tmp/one \
             --overlay-src b --overlay-src a --ro-overlay /tmp/two rootfs sh -c"
        );
        let script = "cd /tmp; cat */file; for d in *; do echo; echo $d >$d/new && echo $d; rm -r $d/inner && echo gone
            ls $d; done 2>/dev/null";
        let outcome = sandbox.run(&line).arg(script).done().is(0);
        let text = outcome.text();
        assert!(text.starts_with("a/fileb/filea/filea/file"), "{outcome}");
        assert!(text.contains("\nkept\ngone\na\nb\nfile\nnew\n\nlost\ngone\na\nb\nfile\nnew\n"), "{outcome}");
        assert!(text.ends_with("\n\na\nfile\ninner\n\na\nb\nfile\ninner"), "{outcome}");
        assert_eq!(fs::read(sandbox.path("up:x/new")).unwrap(), b"kept\n");
        assert!(!sandbox.path("a/new").exists() && sandbox.path("a/inner").exists());
    });
}

#[test]
fn overlays_take_options_of_mounts() {
    let Some(sandbox) = sandbox() else { return };
    let line = "unshare-rs -pm pivot --bare --proc --overlay-src a --tmp-overlay /tmp:size=1M,noexec --overlay-src b \
        --overlay up:/root:ro,nosuid rootfs sh -c";
    let script =
        "cat /bin/busybox /bin/busybox >/tmp/x; grep -oE '/(tmp|root) r[a-z,]*' /proc/self/mountinfo";
    let outcome = sandbox.run(line).arg(script).done().is(0).says("No space left on device");
    assert_eq!(outcome.text(), "/tmp rw,noexec,relatime\n/root ro,nosuid,relatime");
}

#[test]
fn layers_go_with_all_else_that_shapes_a_root() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("a/program", "#!/bin/sh\necho ran\n", 0o755);
    let line = "unshare-rs -pm pivot --layer rootfs --layer a --upper-size 10% --idmap 0:1000:1 --file /new/f=text \
        --symlink /l=new --chmod /file=600 --propagation shared --mask /b --chdir /inner --dir /made:mode=711 sh -c";
    let script = "pwd; cat /l/f; stat -c '%a %u' /file /made /a; /program; grep -c ' / / .*shared:' /proc/self/mountinfo";
    let text = sandbox.run(line).arg(script).done().is(0).quiet().text();
    assert_eq!(text, "/inner\ntext600 1000\n711 0\n644 1000\nran\n1");
    let refused = "pivot --layer rootfs --idmap 0:1000:1 --upper up true";
    sandbox.run(refused).done().is(125).says("cannot map the ids of up: changes are kept with the owners");
    sandbox
        .run("pivot --layer rootfs --propagation slave true")
        .done()
        .is(125)
        .says("nothing outside is mounted in layers");
}

/// A root that has no mount points, and files and a directory in the root to be carried over.
fn bare_root(sandbox: &Sandbox) {
    for dir in ["dev", "proc", "sys", "tmp"] {
        fs::remove_dir(sandbox.path("rootfs").join(dir)).unwrap();
    }
}

/// Each system call in turn fails: strace(1) has it fail.
#[test]
fn whatever_fails_leaves_nothing_behind() {
    let Some(sandbox) = sandbox() else { return };
    bare_root(&sandbox);
    let before = names(sandbox.dir());
    let calls = "fsopen fsconfig fsmount move_mount open_tree mount_setattr openat openat2 mkdirat fchmodat fchownat \
        flock unshare pivot_root umount2 setns fchdir statx fstatfs getdents64 mount";
    let lines = [
        "--layer a --layer rootfs --upper up --tmpfs /new/point",
        "--overlay-src a --overlay up:/new/point rootfs",
        "--ro --overlay-src a --tmp-overlay /new/point rootfs",
    ];
    let rows: Vec<(&str, &str)> =
        lines.iter().flat_map(|line| calls.split_whitespace().map(move |call| (*line, call))).collect();
    let clean = "rm -rf up up.work rootfs/new rootfs/dev rootfs/sys";
    each(rows, |(line, call)| {
        let trace = format!("strace -qq -o calls -e trace={call}");
        sandbox.run(&format!("{trace} pivot {line} true")).done().is(0);
        let count = fs::read_to_string(sandbox.path("calls")).unwrap().lines().count();
        for nth in 1..=count {
            sandbox.shell(&format!("rm calls; {clean}")).done().is(0);
            let done = sandbox
                .run(&format!("{trace} -e inject={call}:error=EIO:when={nth} pivot {line} true"))
                .done();
            // Some things it can do without.
            if done.status != 0 {
                fs::remove_file(sandbox.path("calls")).unwrap();
                assert_eq!(done.status, 125, "{call} {nth}: {done}");
                let left = names(sandbox.dir()).into_iter().filter(|name| !before.contains(name));
                assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{call} {nth} of {line}: {done}");
                fs::write(sandbox.path("calls"), "").unwrap();
            }
        }
        sandbox.shell(clean).done().is(0);
    });
}

#[test]
fn an_overlay_can_work_in_a_directory_of_the_users_choice() {
    let Some(sandbox) = sandbox() else { return };
    let line = "pivot --bare --overlay-src a --overlay up:/root:nosuid,work=w rootfs touch /root/new";
    sandbox.run(line).done().is(0).quiet();
    let found = ["up/new", "w/work", "up.work"].map(|name| sandbox.path(name).exists());
    assert_eq!(found, [true, true, false]);
}
