//! `gc`, as far as groups stay.

use crate::support::{Groups, has_v2};
use nix::sys::signal::Signal::SIGKILL;
use std::fs;
use tests::cgroup;

#[test]
fn groups_that_stay_are_no_garbage() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9").done().is(0).quiet();
    groups.cgctl("new a/b m=16M").done().is(0).quiet();
    let before = [groups.directories("a"), groups.directories("a/b")];
    groups.sandbox.run("cgctl gc").done().is(0);
    assert_eq!([groups.directories("a"), groups.directories("a/b")], before);
}

#[test]
fn a_dry_run_tells_what_would_go_and_leaves_it() {
    let Some(groups) = Groups::new() else { return };
    let owner = groups.cgctl("new a m=32M -- probe hold").start();
    owner.until("ready").signal(SIGKILL);
    owner.done();
    let before = groups.directories("a");
    if before.is_empty() {
        return; // Another test's gc came by.
    }
    let path = format!("/{}", groups.path("a"));
    let found = groups.objects("gc --dry-run --json");
    let object = found.iter().find(|object| object["group"] == *path);
    let still = groups.directories("a");
    if let Some(object) = object {
        assert_eq!(object["directories"].as_array().unwrap().len(), before.len(), "{object}");
    }
    let done = groups.cgctl("gc").done().is(0).text();
    // Unless another test's gc was faster.
    assert!(still == before || object.is_none(), "{still:?}");
    assert!(done.lines().any(|line| line == path) || groups.directories("a").is_empty());
    assert!(groups.directories("a").is_empty());
}

/// What `new` and `rm` leave when they are killed between two marks.
#[test]
fn a_group_that_is_marked_halfway_goes_as_a_whole() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9").done().is(0).quiet();
    let directories = groups.directories("a");
    if directories.len() < 2 {
        return;
    }
    let tracking = directories.iter().find(|path| !has_v2() || path.join("cgroup.freeze").exists()).unwrap();
    rustix::fs::setxattr(tracking, "user.cgctl", b"goes", rustix::fs::XattrFlags::empty()).unwrap();
    tests::eventually("all of it goes", || {
        groups.sandbox.run("cgctl gc").done().is(0);
        groups.directories("a").is_empty()
    });
}

/// A group of somebody else's that has no mark, in a place that is not ours.
#[test]
fn what_is_not_ours_is_left_alone() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let (top, _) = cgroup::hierarchies().swap_remove(0);
    let foreign = top.join(groups.path("foreign"));
    fs::create_dir_all(&foreign).unwrap();
    groups.sandbox.run("cgctl gc").done().is(0);
    assert!(foreign.is_dir());
}
