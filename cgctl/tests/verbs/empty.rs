//! `wait`.

use crate::support::Groups;
use nix::sys::signal::Signal::SIGKILL;
use std::time::Instant;

#[test]
fn wait_ends_with_the_last_process() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    groups.cgctl("wait a").done().is(0).quiet();
    let jobs = [groups.hold("a"), groups.hold("a/b")];
    let wait = groups.cgctl("wait a").start();
    groups.cgctl("wait a --timeout 0.2").done().is(1).quiet();
    let [first, second] = jobs;
    first.signal(SIGKILL);
    first.done();
    groups.cgctl("wait a --timeout 0.2").done().is(1).quiet();
    second.signal(SIGKILL);
    second.done();
    let start = Instant::now();
    wait.done().is(0).quiet();
    assert!(start.elapsed() < tests::patience(10), "{:?}", start.elapsed());
    groups.cgctl("wait a --timeout=0").done().is(0).quiet();
}

#[test]
fn wait_ends_when_the_group_is_removed() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let job = groups.hold("a");
    let wait = groups.cgctl("wait a").start();
    let descriptors = format!("/proc/{}/fd", wait.pid());
    tests::eventually("it waits", || {
        let links =
            std::fs::read_dir(&descriptors).unwrap().flatten().map(|entry| std::fs::read_link(entry.path()));
        links.flatten().any(|link| link.ends_with("a")) && tests::leak::state(wait.pid()) == Some('S')
    });
    groups.cgctl("rm --kill a").done().is(0).quiet();
    job.done().is(-9);
    wait.done().is(0).quiet();
}

#[test]
fn wait_does_not_wait_for_itself() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let done = groups.cgctl("exec a -- cgctl wait a").done().is(125).complains_as("cgctl");
    done.says("cannot wait for group a: this cgctl is in it");
}

#[test]
fn times_are_seconds_or_have_a_unit() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    for time in ["", "x", "1y", "-1", "99999999999999999999"] {
        groups.cgctl("wait a").arg(format!("--timeout={time}")).done().is(125).complains_as("cgctl");
    }
    for time in ["9999999999", "1s", "1.5m", "200d"] {
        groups.cgctl("wait a --timeout").arg(time).done().is(0).quiet();
    }
}
