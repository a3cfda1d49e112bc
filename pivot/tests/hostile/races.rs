//! A root that changes while mounts are made in it.

use crate::Canary;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, openat, renameat_with, symlinkat, unlinkat};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

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
