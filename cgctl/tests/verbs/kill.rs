//! `kill`.

use crate::support::{Groups, has_v2};
use std::time::Instant;
use tests::{Sandbox, eventually};

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

/// Only the first process of a pid namespace of its own is put at risk here.
#[test]
fn the_first_process_is_neither_ended_nor_stopped() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    // Should it not be refused, nothing happens: CONT and thaw do nothing to one that runs.
    for verb in ["kill -s CONT a", "thaw a"] {
        let script = format!("(cgctl move a 1; cgctl {verb}); exit $?");
        let done = groups.run("unshare-rs -pm --mount-proc sh -c").arg(script).done();
        done.is(125).complains_as("cgctl").says("group a: process 1 is in it");
    }
}

/// The kernel neither lists the processes of a threaded group nor kills them.
#[test]
fn the_processes_of_a_threaded_group_are_found_and_ended() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let Some(threads) = groups.with("a", "cgroup.threads") else { return };
    let inner = threads.with_file_name("t");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(inner.join("cgroup.type"), "threaded").unwrap();
    let job = groups.hold("a");
    groups.cgctl("move a/t").arg(job.pid().to_string()).done().is(0).quiet();
    assert_eq!(groups.cgctl("pids a/t").done().is(0).text(), job.pid().to_string());
    assert_eq!(groups.objects("stat --json a/t")[0]["processes"], 1);
    groups.cgctl("rm a/t").done().is(125).complains_as("cgctl").says("(probe) is in it");
    groups.cgctl("kill a/t").done().is(0).quiet();
    job.done().is(-9);
    groups.cgctl("rm a").done().is(0).quiet();
}

#[test]
fn without_the_right_to_it_nothing_is_ended_and_that_is_told_at_once() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let job = groups.hold("a");
    let user = Sandbox::user();
    let path = format!("/{}", groups.path("a"));
    let what = format!("process {}: Operation not permitted", job.pid());
    let start = Instant::now();
    for verb in ["kill", "kill -s TERM", "rm --kill"] {
        user.run(&format!("cgctl {verb}")).arg(&path).done().is(125).complains_as("cgctl").says(&what);
    }
    assert!(start.elapsed() < tests::patience(8), "{:?}", start.elapsed());
    assert_eq!(groups.cgctl("pids a").done().text(), job.pid().to_string());
    user.run("cgctl gc").done().is(0).quiet();
}

#[test]
fn processes_of_another_pid_namespace_are_told() {
    if !has_v2() {
        return; // v1 does not show them at all.
    }
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let job = groups.hold("a");
    let inside = |words: &str| groups.run("unshare-rs -pm --mount-proc cgctl").args(words.split(' ')).done();
    let note = "cgctl: a: there are processes of another pid namespace too\n";
    assert_eq!(inside("pids a").is(0).talk(), note);
    inside("kill -s TERM a").is(125).complains_as("cgctl").says("processes of another pid namespace in it");
    inside("rm a").is(125).complains_as("cgctl").says("a process of another pid namespace is in it");
    inside("rm --kill a").is(0).quiet();
    job.done().is(-9);
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
