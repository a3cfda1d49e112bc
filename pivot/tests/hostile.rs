//! Roots and programs that want out. Each aims at a canary beside the root and must not reach it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, openat, renameat_with, symlinkat, unlinkat,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::{Sandbox, each};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?;
    fs::remove_file(sandbox.path("rootfs")).unwrap();
    sandbox.make_root("rootfs");
    Some(sandbox)
}

/// A sandbox with an empty directory and a file outside of the root, which must stay as they are.
struct Canary(Sandbox);

impl Canary {
    fn new() -> Option<Self> {
        let sandbox = sandbox()?;
        fs::create_dir(sandbox.path("canary")).unwrap();
        sandbox.file("canary.txt", "alive", 0o644);
        Some(Canary(sandbox))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Ways from the root to the canary that a link can try.
    fn ways(&self) -> [PathBuf; 3] {
        let far = format!("{}{}", "../".repeat(20), self.path("canary").display());
        [self.path("canary"), "../canary".into(), far.into()]
    }

    #[track_caller]
    fn is_alive(&self) {
        assert_eq!(fs::read_dir(self.path("canary")).unwrap().count(), 0, "something was made outside");
        assert_eq!(fs::read(self.path("canary.txt")).unwrap(), b"alive");
    }

    /// Replaces a file or an empty directory of the root by a link.
    fn link(&self, name: &str, target: impl Into<PathBuf>) {
        let path = self.path("rootfs").join(name);
        let _ = fs::remove_dir(&path);
        let _ = fs::remove_file(&path);
        symlink(target.into(), path).unwrap();
    }
}

/// CVE-2026-41579 (runc), CVE-2026-47766 (crun): links and device nodes were made behind such a link.
#[test]
fn a_dev_proc_or_sys_that_is_a_link_is_refused() {
    let Some(canary) = Canary::new() else { return };
    for name in ["dev", "proc", "sys"] {
        for way in canary.ways() {
            canary.link(name, &way);
            let outcome =
                canary.0.run("unshare-rs -pm pivot rootfs true").done().is(125).complains_as("pivot");
            outcome.says(&format!("/{name} is not a real directory in this root"));
            canary.is_alive();
        }
        canary.link(name, "/tmp");
        canary.0.run("unshare-rs -pm pivot rootfs true").done().is(125);
        fs::remove_file(canary.path("rootfs").join(name)).unwrap();
        fs::create_dir(canary.path("rootfs").join(name)).unwrap();
    }
}

/// CVE-2025-31133 (runc), CVE-2026-88264 (crun): /dev/null of the image as the source of masks or as standard input.
#[test]
fn a_dev_null_that_is_a_link_is_never_used() {
    let Some(canary) = Canary::new() else { return };
    canary.link("dev/null", canary.path("canary.txt"));
    let script = "echo x >/dev/null; echo x >/proc/keys; cat /proc/keys";
    canary.0.run("unshare-rs -pm pivot rootfs sh -c").arg(script).done().is(0).quiet();
    canary.is_alive();
    canary.0.run("unshare-rs -pm pivot --bare rootfs true").done().is(0).quiet();
    canary.is_alive();
}

/// CVE-2026-87766 (bubblewrap), nsjail#274: directories and files were made behind links in the destination.
#[test]
fn a_destination_behind_a_link_stays_inside() {
    let Some(canary) = Canary::new() else { return };
    let (sandbox, link) = (&canary.0, |way| canary.link("lnk", way));
    sandbox.file("file", "bound", 0o644);
    each(canary.ways(), |way| {
        link(way);
        let line =
            "pivot --bind file:/lnk/a/file --tmpfs /lnk/b --bind rootfs/bin:/lnk/c:ro rootfs cat /lnk/a/file";
        assert_eq!(sandbox.run(line).done().is(0).quiet().text(), "bound");
        sandbox.run("pivot --tmpfs /lnk --bare rootfs sh -c").arg("test -d /lnk || exit 1").done();
        canary.is_alive();
    });
    canary.link("lnk", "/proc/self/cwd/canary");
    sandbox.run("pivot --tmpfs /lnk/x rootfs true").done();
    canary.is_alive();
    canary.link("lnk", "/proc/1/root");
    let outcome = sandbox.run("unshare-rs -pm pivot --tmpfs /lnk/x rootfs true").done().is(125);
    outcome.complains_as("pivot").says("/lnk/x");
    canary.is_alive();
}

/// CVE-2024-21626 (runc), CVE-2016-9962 (docker): the host through a descriptor that was left open.
#[test]
fn an_inherited_descriptor_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    canary.0.file("evil", "#!/bin/sh\n", 0o755);
    fs::copy(canary.path("rootfs/bin/busybox"), canary.path("true")).unwrap();
    canary.link("bin/by-link", "/proc/self/fd/9/true");
    canary.0.file("rootfs/bin/by-script", "#!/proc/self/fd/9/true\n", 0o755);
    let run = |command: &str| {
        let line = format!("exec 9<. 5<.; exec unshare-rs -pm pivot --keep-fd 5 rootfs {command}");
        canary.0.shell(&line).done()
    };
    assert_eq!(run("cat /proc/self/fd/5/canary.txt").is(0).text(), "alive");
    run("cat /proc/self/fd/9/canary.txt").is(1);
    run("/proc/self/fd/9/true").is(127);
    run("by-link").is(126).says("a missing file");
    run("by-script").is(126).says("/proc/self/fd/9/true, which it needs, is missing");
    canary.is_alive();
}

#[test]
fn only_descriptors_that_were_asked_for_are_open_inside() {
    let Some(canary) = Canary::new() else { return };
    let line = "exec 3<. 5<. 9<. 8>/dev/null; exec unshare-rs -pm pivot --keep-fd 9 --keep-fd 1 --keep-fd 9 rootfs probe report";
    let report = canary.0.shell(line).done().is(0).json();
    let mut open: Vec<&String> = report["descriptors"].as_object().unwrap().keys().collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2", "9"]);
}

#[test]
fn the_starting_directory_cannot_be_outside() {
    let Some(canary) = Canary::new() else { return };
    canary.link("cwd", "/proc/self/fd/9");
    let rows: Vec<String> =
        (3..=20).map(|fd| format!("/proc/self/fd/{fd}")).chain(["/cwd".to_owned()]).collect();
    each(rows, |dir| {
        let line = format!("exec 9<.; exec unshare-rs -pm pivot --chdir {dir} rootfs cat canary.txt");
        canary.0.shell(&line).done().is(125).complains_as("pivot").says("cannot start in ");
    });
    for way in canary.ways() {
        canary.link("cwd", way);
        canary.0.run("pivot --chdir /cwd rootfs cat ../canary.txt").done().is(125);
    }
}

#[test]
fn no_path_leads_back_to_the_old_root() {
    let Some(canary) = Canary::new() else { return };
    let script = "cd /..; for dir in / /.. /../.. /proc/1/root /proc/self/root/.. /proc/self/cwd/..; do
            stat -Lc '%d %i' $dir; done | sort -u | wc -l
        find / -xdev -name canary.txt; grep -c canary /proc/self/mountinfo; awk '$5 == \"/\"' /proc/self/mountinfo | wc -l";
    let outcome = canary.0.run("unshare-rs -pm pivot rootfs sh -c").arg(script).done().quiet();
    assert_eq!(outcome.text(), "1\n0\n1");
}

/// CVE-2021-30465 and others: a directory is exchanged for a link while mounts are made in it.
#[test]
fn a_directory_that_is_exchanged_for_a_link_meanwhile_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    let root = openat(CWD, canary.path("rootfs"), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    fs::create_dir(canary.path("rootfs/race")).unwrap();
    let real = openat(&root, "race", OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    symlinkat("../canary", &root, "other").unwrap();
    let (stop, mut mounted) = (AtomicBool::new(false), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                renameat_with(&root, "race", &root, "other", RenameFlags::EXCHANGE).unwrap();
            }
        });
        for _ in 0..200 {
            let outcome = canary.0.run("pivot --bare --tmpfs /race/a/b rootfs true").done();
            mounted += i32::from(outcome.status == 0);
            for path in ["a/b", "a"] {
                let _ = unlinkat(&real, path, AtFlags::REMOVEDIR);
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    canary.is_alive();
    assert!(mounted > 0, "no run came through");
}

/// The same for /dev, which is never looked up through a link.
#[test]
fn a_dev_that_is_exchanged_for_a_link_meanwhile_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    let root = openat(CWD, canary.path("rootfs"), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    symlinkat("../canary", &root, "other").unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                renameat_with(&root, "dev", &root, "other", RenameFlags::EXCHANGE).unwrap();
            }
        });
        for _ in 0..100 {
            let outcome = canary.0.run("pivot rootfs true").done();
            assert!([0, 125].contains(&outcome.status), "{outcome}");
        }
        stop.store(true, Ordering::Relaxed);
    });
    canary.is_alive();
}

/// Nothing of the root is opened but to become it.
#[test]
fn a_command_that_is_a_fifo_is_not_waited_for() {
    let Some(canary) = Canary::new() else { return };
    let fifo = canary.path("rootfs/bin/fifo");
    rustix::fs::mknodat(CWD, fifo, FileType::Fifo, Mode::from(0o755), 0).unwrap();
    for command in ["fifo", "/bin/fifo"] {
        canary.0.run("pivot rootfs").arg(command).limit(5).done().is(126).complains_as("pivot");
    }
}

/// What names the namespaces of a process, as the link before pivot would.
const TELL: &str = "export CHAIN_NS=$(stat -Lc %i /proc/self/ns/mnt):$(stat -Lc %i /proc/self/ns/pid)";

#[test]
fn a_stale_word_about_the_mount_namespace_is_not_believed() {
    let Some(canary) = Canary::new() else { return };
    let compare = "cat /proc/self/mountinfo >before; pivot rootfs true; cat /proc/self/mountinfo >after; cmp before after";
    for line in ["unshare -m sh -ec", "unshare -pmf sh -ec", "unshare -m unshare -pf sh -ec"] {
        canary.0.run(line).arg(format!("{TELL}; {compare}")).done().is(0).quiet();
    }
    let others = format!(
        "{TELL}; sleep 20 & cat /proc/$!/mountinfo >before; exec pivot rootfs cat /proc/$!/mountinfo"
    );
    let seen = canary.0.run("unshare -pmf --mount-proc sh -ec").arg(others).done().is(0).text();
    assert_eq!(seen, fs::read_to_string(canary.path("before")).unwrap().trim_end());
}

#[test]
fn a_true_word_saves_the_second_mount_namespace() {
    let Some(canary) = Canary::new() else { return };
    let calls = |line: &str| {
        canary
            .0
            .run(&format!("strace -f -qq -o calls -e trace=unshare {line} pivot rootfs true"))
            .done()
            .is(0);
        fs::read_to_string(canary.path("calls")).unwrap().matches("CLONE_NEWNS").count()
    };
    assert_eq!(calls("unshare-rs -pm"), 0);
    assert_eq!(calls("unshare-rs -m"), 2);
    assert_eq!(calls("unshare-rs -pm --propagation unchanged"), 0);
    assert_eq!(calls("env CHAIN_NS=1:2"), 1);
}

#[test]
fn the_callers_mounts_stay_as_they_are_even_when_shared() {
    let Some(canary) = Canary::new() else { return };
    let script = "mount --make-rshared /; mount -t tmpfs x rootfs/tmp; cat /proc/self/mountinfo >before
        for link in '' 'unshare-rs -m' 'unshare-rs -pm' 'unshare-rs -pm --propagation unchanged'; do
            $link pivot --tmpfs /tmp/deeper --bind /etc:/etc --ro rootfs true; done
        cat /proc/self/mountinfo >after; cmp before after; umount rootfs/tmp";
    canary.0.run("unshare -m sh -ec").arg(script).done().is(0).quiet();
}
