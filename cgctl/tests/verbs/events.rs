//! `events`.

use crate::support::{Groups, has_v2};
use serde_json::Value;
use tests::Job;

fn objects(job: &Job) -> Vec<Value> {
    job.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Waits for an event, and gives its object.
#[track_caller]
fn until(job: &Job, group: &str, event: &str) -> Value {
    let is_it = |object: &Value| object["group"] == group && object["event"] == event;
    let mut found = None;
    tests::eventually(&format!("{event} of {group} is told"), || {
        found = objects(job).into_iter().rfind(|object| is_it(object));
        found.is_some()
    });
    found.unwrap()
}

fn start(groups: &Groups, words: &str) -> Job {
    let job = groups.cgctl(words).start();
    job.until("watching");
    job
}

#[test]
fn what_happens_is_told_until_the_group_is_removed() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=16M pids=2").done().is(0).quiet();
    let job = start(&groups, "events a");
    let first = until(&job, "a", "watching");
    assert_eq!((&first["populated"], &first["frozen"]), (&false.into(), &false.into()));
    assert!(first["time"].as_f64().unwrap() > 1e9);
    groups.cgctl("exec a -- probe memhog 60000000").done();
    assert_eq!(until(&job, "a", "oom_kill")["total"], 1);
    assert!(until(&job, "a", "oom")["total"].as_u64().unwrap() >= 1);
    groups.cgctl("exec a -- sh -c").arg("sleep 0 & sleep 0 & sleep 0 & wait").done();
    assert!(until(&job, "a", "pids_max")["count"].as_u64().unwrap() >= 1);
    let held = groups.hold("a");
    tests::eventually("it is populated", || until(&job, "a", "populated")["value"] == true);
    groups.cgctl("kill a").done().is(0);
    held.done();
    tests::eventually("it is empty", || until(&job, "a", "populated")["value"] == false);
    groups.cgctl("rm a").done().is(0).quiet();
    let done = job.done().is(0).quiet();
    let last: Value = serde_json::from_str(done.text().lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["group"]), (&"removed".into(), &"a".into()));
}

#[test]
fn groups_inside_are_told_of_by_themselves() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=64M").done().is(0).quiet();
    let job = start(&groups, "events --recursive a");
    groups.cgctl("new a/b m=16M").done().is(0).quiet();
    until(&job, "a/b", "watching");
    groups.cgctl("exec a/b -- probe memhog 60000000").done();
    assert_eq!(until(&job, "a/b", "oom_kill")["total"], 1);
    groups.cgctl("rm a/b").done().is(0).quiet();
    until(&job, "a/b", "removed");
    groups.cgctl("rm a").done().is(0).quiet();
    let done = job.done().is(0).quiet();
    let outer = |event: &str| {
        done.text()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .any(|o| o["group"] == "a" && o["event"] == event)
    };
    assert!(!outer("oom_kill") && outer("removed"), "{done}");
}

#[test]
fn freezing_and_high_memory_are_told() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    if !has_v2() && groups.with("a", "freezer.state").is_none() {
        return tests::skip("there is no freezer");
    }
    let job = start(&groups, "events a");
    groups.cgctl("freeze a").done().is(0).quiet();
    tests::eventually("it is frozen", || until(&job, "a", "frozen")["value"] == true);
    groups.cgctl("thaw a").done().is(0).quiet();
    tests::eventually("it is thawed", || until(&job, "a", "frozen")["value"] == false);
    groups.cgctl("new high mem.high=8M").done();
    if groups.with("high", "memory.high").is_none() {
        return;
    }
    let job = start(&groups, "events high");
    groups.cgctl("exec high -- probe memhog 12000000").done();
    assert!(until(&job, "high", "high")["count"].as_u64().unwrap() >= 1);
}

#[test]
fn it_ends_when_nobody_reads_any_more() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    // Nothing happens after the first line, so there is nothing that could not be written.
    let done = groups.run("sh -c").arg("cgctl events a | head -n 1").done().is(0).quiet();
    assert!(done.text().contains("watching"), "{done}");
}
