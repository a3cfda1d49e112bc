//! A root that changes while mounts are made in it: CVE-2021-30465, CVE-2024-45310, CVE-2025-31133 and CVE-2025-52565
//! (runc), GHSA-3q8j-pf29-vwv8 (youki).

use crate::Canary;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, openat, renameat_with, symlinkat, unlinkat};
use std::fs;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How often names are exchanged, at least.
const EXCHANGES: u64 = 100_000;
/// How often pivot runs meanwhile, at least.
const RUNS: usize = 200;

fn directory(canary: &Canary, name: &str) -> OwnedFd {
    openat(CWD, canary.path(name), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

/// Exchanges two names of `dir` while `run` is called again and again.
fn while_exchanging(dir: &OwnedFd, pairs: &[(&str, &str)], mut run: impl FnMut()) {
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for (one, other) in pairs {
            let (stop, count) = (&stop, &count);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    renameat_with(dir, *one, dir, *other, RenameFlags::EXCHANGE).unwrap();
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _stop = StopAtEnd(&stop);
        let mut runs = 0;
        while runs < RUNS || count.load(Ordering::Relaxed) < EXCHANGES {
            run();
            runs += 1;
        }
    });
}

/// Also when the test fails: the scope waits for its threads.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_directory_that_is_exchanged_for_a_link_meanwhile_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    let root = directory(&canary, "rootfs");
    fs::create_dir(canary.path("rootfs/race")).unwrap();
    let real = directory(&canary, "rootfs/race");
    fs::write(canary.path("rootfs/race/i"), "hidden").unwrap();
    fs::create_dir(canary.path("rootfs/race/k")).unwrap();
    symlinkat("../canary", &root, "other").unwrap();
    let mut mounted = 0;
    let line = "unshare-rs -pum pivot --tmpfs /race/a/b --bind canary.txt:/race/c --bind rootfs/bin:/race/d:ro \
        --file /race/e=text --dir /race/f/g --symlink /race/h=x --mask /race/i --ro-path /race/k rootfs cat /proc/self/mountinfo";
    while_exchanging(&root, &[("race", "other")], || {
        let outcome = canary.0.run(line).done();
        if outcome.status == 0 {
            mounted += 1;
            // At the one place or at the other, but in the root: a mount elsewhere is gone with the old root.
            let text = outcome.text();
            let seen = |name: &str| text.lines().any(|line| line.split(' ').nth(4).unwrap().ends_with(name));
            assert!(["/a/b", "/c", "/d", "/e"].into_iter().all(seen), "{outcome}");
        } else {
            outcome.is(125).complains_as("pivot");
        }
        for path in ["a/b", "a", "d", "f/g", "f", "c", "e", "h"] {
            let _ = unlinkat(&real, path, AtFlags::REMOVEDIR)
                .or_else(|_| unlinkat(&real, path, AtFlags::empty()));
        }
        canary.is_alive();
    });
    assert!(mounted > 0, "no run came through");
}

/// The same for /dev, /proc and /sys, which are never looked up through a link.
#[test]
fn a_dev_proc_or_sys_that_is_exchanged_for_a_link_meanwhile_leads_nowhere() {
    let Some(canary) = Canary::new() else { return };
    let root = directory(&canary, "rootfs");
    let pairs = [("dev", "dev2"), ("proc", "proc2"), ("sys", "sys2")];
    pairs.iter().for_each(|(_, other)| symlinkat("../canary", &root, *other).unwrap());
    while_exchanging(&root, &pairs, || {
        let outcome = canary.0.run("unshare-rs -pum pivot rootfs probe report").done();
        if outcome.status == 0 {
            // The name may have been exchanged since, and with it that of the mount.
            let report = outcome.json();
            for mount in report["mounts"].as_array().unwrap() {
                let (at, kind) = (mount["at"].as_str().unwrap(), mount["type"].as_str().unwrap());
                let place = |name: &str| at == format!("/{name}") || at == format!("/{name}2");
                assert!(kind != "sysfs" || place("sys"), "{report}");
            }
        } else {
            outcome.is(125).complains_as("pivot");
        }
        canary.is_alive();
    });
}

/// What hides files of /proc is a device of our own making, whatever the root calls null.
#[test]
fn a_null_device_that_is_exchanged_meanwhile_hides_nothing_less() {
    let Some(canary) = Canary::new() else { return };
    let dev = directory(&canary, "rootfs/dev");
    symlinkat("../../canary.txt", &dev, "null").unwrap();
    symlinkat("/proc/1/environ", &dev, "other").unwrap();
    let line =
        "unshare-rs -pum pivot --bind rootfs/dev:/dev rootfs stat -c %F:%t:%T /proc/keys /proc/timer_list";
    while_exchanging(&dev, &[("null", "other")], || {
        let null = "character special file:1:3";
        assert_eq!(canary.0.run(line).done().is(0).quiet().text(), format!("{null}\n{null}"));
    });
    canary.is_alive();
}

/// A run that fails removes the mount points that it has made; where another run has found them, that one would lose
/// what it has mounted there, without a word.
#[test]
fn a_run_that_fails_takes_nothing_from_another_in_the_same_root() {
    let Some(canary) = Canary::new() else { return };
    let (made, below) = (canary.path("rootfs/made"), canary.path("rootfs/made/a"));
    let script =
        "grep -c ' /made/a ' /proc/self/mountinfo; sleep 0.01; grep -c ' /made/a ' /proc/self/mountinfo";
    let mut undone = 0;
    for _ in 0..100 {
        let failing =
            canary.0.run("unshare-rs -pum pivot --tmpfs /made/a --chdir /missing rootfs true").start();
        let other = canary.0.run("unshare-rs -pum pivot --tmpfs /made/a rootfs sh -c").arg(script).start();
        assert_eq!(other.done().is(0).quiet().text(), "1\n1");
        failing.done().is(125);
        let _ = fs::remove_dir(&below).and_then(|()| fs::remove_dir(&made));
        canary.0.run("pivot --tmpfs /made/a --chdir /missing rootfs true").done().is(125);
        undone += u32::from(!made.exists());
        let _ = fs::remove_dir(&below).and_then(|()| fs::remove_dir(&made));
    }
    assert_eq!(undone, 100, "alone with its root a run undoes all that it has made");
}

/// What a program of the root can do against that is to make the next run wait a little.
#[test]
fn a_root_that_its_programs_keep_locked_is_used_all_the_same() {
    let Some(canary) = Canary::new() else { return };
    let holder = canary.0.run("flock rootfs sh -c").arg("echo locked; exec probe hold").start();
    holder.until("locked");
    canary.0.run("unshare-rs -pum pivot --tmpfs /made rootfs test -d /made").done().is(0).quiet();
}
