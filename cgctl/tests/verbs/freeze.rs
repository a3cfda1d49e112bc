//! `freeze` and `thaw`.

use crate::support::{Groups, has_v2};
use std::fs;
use tests::{Job, cgroup};

/// How much processor time a process has used, in ticks.
fn used(job: &Job) -> u64 {
    tests::leak::stat(job.pid(), 11).unwrap().parse().unwrap()
}

fn busy(groups: &Groups, name: &str) -> Job {
    let job = groups.cgctl(&format!("exec {name} -- sh -c")).arg("echo ready; while :; do :; done").start();
    job.until("ready");
    job
}

/// A group that has the freezer's files, on v1 alone by asking for it.
fn make(groups: &Groups, name: &str) -> bool {
    groups.cgctl("new").arg(name).done().is(0).quiet();
    let can = has_v2() || groups.with(name, "freezer.state").is_some();
    if !can {
        tests::skip("there is no freezer");
    }
    can
}

#[test]
fn a_frozen_group_stands_still_until_it_is_thawed() {
    let Some(groups) = Groups::new() else { return };
    if !make(&groups, "a") {
        return;
    }
    let (outer, inner) = (busy(&groups, "a"), {
        groups.cgctl("new a/b").done().is(0).quiet();
        busy(&groups, "a/b")
    });
    for _ in 0..2 {
        groups.cgctl("freeze a").done().is(0).quiet();
        let before = [used(&outer), used(&inner)];
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!([used(&outer), used(&inner)], before);
        assert_eq!(groups.objects("stat --json a")[0]["frozen"], true);
        assert!(groups.cgctl("ls a").done().text().starts_with("a  frozen\n"));
        assert!(groups.cgctl("top -b -n1 -d 0.05").done().text().contains("\na (frozen) "));
    }
    groups.cgctl("thaw a").done().is(0).quiet();
    groups.cgctl("thaw a").done().is(0).quiet();
    assert_eq!(groups.objects("stat --json a")[0]["frozen"], false);
    let before = [used(&outer), used(&inner)];
    tests::eventually("both go on", || used(&outer) > before[0] && used(&inner) > before[1]);
}

/// With many at work, the kernel is not done at once.
#[test]
fn freeze_returns_when_all_stand_still() {
    let Some(groups) = Groups::new() else { return };
    if !make(&groups, "a") {
        return;
    }
    // Bounded, should the test itself be killed.
    let script = "ulimit -t 10; for i in $(seq 40); do while :; do :; done & done; echo ready; wait";
    let job = groups.cgctl("exec a -- sh -c").arg(script).start();
    job.until("ready");
    let (file, frozen) = match groups.with("a", "cgroup.freeze") {
        Some(file) => (file.with_file_name("cgroup.events"), "frozen 1"),
        None => (groups.with("a", "freezer.state").unwrap(), "FROZEN"),
    };
    for _ in 0..10 {
        groups.cgctl("freeze a").done().is(0).quiet();
        let state = fs::read_to_string(&file).unwrap();
        assert!(state.contains(frozen), "{state}");
        groups.cgctl("thaw a").done().is(0).quiet();
    }
}

#[test]
fn an_empty_group_can_be_frozen() {
    let Some(groups) = Groups::new() else { return };
    if !make(&groups, "a") {
        return;
    }
    groups.cgctl("freeze a").done().is(0).quiet();
    assert_eq!(groups.objects("stat --json a")[0]["frozen"], true);
    groups.cgctl("thaw a").done().is(0).quiet();
}

#[test]
fn a_group_in_a_frozen_one_does_not_thaw_alone() {
    let Some(groups) = Groups::new() else { return };
    if !make(&groups, "a") || !make(&groups, "a/b") {
        return;
    }
    let _held = groups.hold("a/b");
    groups.cgctl("freeze a").done().is(0).quiet();
    let done = groups.cgctl("thaw a/b").done().is(125).complains_as("cgctl");
    let done = done.says("cannot thaw group a/b: the group ").says("/a around it is frozen\n");
    done.says(&format!("hint: cgctl thaw /{}\n", groups.path("a")));
    groups.cgctl("thaw a").done().is(0).quiet();
}

#[test]
fn cgctl_does_not_freeze_itself() {
    let Some(groups) = Groups::new() else { return };
    if !make(&groups, "a") {
        return;
    }
    let done = groups.cgctl("exec a -- cgctl freeze a").done().is(125).complains_as("cgctl");
    done.says("cannot freeze group a: this cgctl is in it");
}

#[test]
fn a_group_that_nothing_can_freeze_is_told() {
    let Some(groups) = Groups::new() else { return };
    let v1 = cgroup::hierarchies().into_iter().find(|(_, kind)| kind == "rw,pids" || kind.ends_with("pids"));
    let Some((top, _)) = v1.filter(|(_, kind)| kind != "cgroup2") else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let foreign = top.join(groups.path("foreign"));
    fs::create_dir_all(&foreign).unwrap();
    let done = groups.cgctl("freeze foreign").done().is(125).complains_as("cgctl");
    done.says("cannot freeze group foreign: it is neither in the cgroup v2 tree nor in the v1 freezer");
}
