//! `kill`.

use crate::support::{Groups, has_v2};
use tests::eventually;

#[test]
fn every_process_ends_and_the_group_stays() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    let jobs = [groups.hold("a"), groups.hold("a/b")];
    let other = {
        groups.cgctl("new c").done().is(0).quiet();
        groups.hold("c")
    };
    groups.cgctl("kill a").done().is(0).quiet();
    assert_eq!(groups.cgctl("pids -r a").done().is(0).text(), "");
    jobs.into_iter().for_each(|job| drop(job.done().is(-9)));
    assert!(!groups.directories("a/b").is_empty());
    assert_eq!(groups.cgctl("pids c").done().text(), other.pid().to_string());
    groups.cgctl("kill a").done().is(0).quiet();
}

#[test]
fn a_fork_bomb_ends() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a pids=60").done().is(0).quiet();
    let _bomb = groups.cgctl("exec a -- probe forkbomb").start();
    eventually("the bomb is full", || groups.objects("stat --json a")[0]["pids"]["refused"] != 0);
    groups.cgctl("kill a").done().is(0).quiet();
    assert_eq!(groups.cgctl("pids -r a").done().is(0).text(), "");
}

#[test]
fn a_frozen_group_is_killed_too() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    if !has_v2() && groups.with("a", "freezer.state").is_none() {
        return tests::skip("there is no freezer");
    }
    let job = groups.hold("a");
    groups.cgctl("freeze a").done().is(0).quiet();
    groups.cgctl("kill a").done().is(0).quiet();
    job.done().is(-9);
}

#[test]
fn another_signal_is_sent_to_each_once() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    for signal in ["USR1", "SIGUSR1", "usr1", "10"] {
        let start = |name: &str| {
            let job = groups.cgctl(&format!("exec {name} -- probe count SIGUSR1 SIGTERM")).start();
            job.until("ready");
            job
        };
        let jobs = [start("a"), start("a/b")];
        groups.cgctl("kill a -s").arg(signal).done().is(0).quiet();
        for job in &jobs {
            job.until("USR1\n");
        }
        groups.cgctl("kill --signal=TERM a").done().is(0).quiet();
        for job in jobs {
            let done = job.done();
            assert_eq!(done.text().matches("USR1").count(), 1, "{done}");
        }
    }
}

#[test]
fn nobody_ends_every_process_that_there_is() {
    let Some(groups) = Groups::new() else { return };
    // Should it not be refused, nothing happens: signal 18 is CONT, and the rest finds no process to be in.
    for verb in ["kill -s CONT", "kill -s 18", "thaw"] {
        let done = groups.cgctl(verb).arg("/").done().is(125).complains_as("cgctl");
        done.says("group /: it is the top of a hierarchy, and has every process in it");
        groups.cgctl(verb).arg(".").done().is(125).complains_as("cgctl").says("that names no group");
    }
    groups.cgctl("new a").done().is(0).quiet();
    let done = groups.cgctl("exec a -- cgctl kill a -s CONT").done().is(125).complains_as("cgctl");
    done.says("cannot signal group a: this cgctl is in it");
}

#[test]
fn a_signal_that_there_is_not_is_refused() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    for signal in ["NOSUCH", "0", "99", ""] {
        let done = groups.cgctl("kill a -s").arg(signal).done().is(125).complains_as("cgctl");
        done.says("there is no such signal");
    }
}
