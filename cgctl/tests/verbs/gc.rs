//! `gc`, as far as groups stay.

use crate::support::{Groups, alone, has_v2};
use nix::sys::signal::Signal::SIGKILL;
use std::fs;
use std::process::Command;
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
    let _turn = alone();
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new keeps-the-parent m=32M").done().is(0).quiet();
    // Another run of the tests may come by with its gc.
    tests::eventually("nobody else removes it", || dry_run(&groups));
}

fn dry_run(groups: &Groups) -> bool {
    let owner = groups.cgctl("new a m=32M -- probe hold").start();
    owner.until("ready").signal(SIGKILL);
    owner.done();
    let path = format!("/{}", groups.path("a"));
    let ours = |words: &str| groups.objects(words).into_iter().find(|object| object["group"] == *path);
    let before = groups.directories("a");
    let told = ours("gc --dry-run --json");
    let text = groups.cgctl("gc --dry-run").done().is(0).quiet().text();
    let after = groups.directories("a");
    let removed = ours("gc --json");
    assert!(groups.directories("a").is_empty());
    let (Some(told), Some(removed)) = (told, removed) else { return false };
    assert!(text.lines().any(|line| line == path), "{text}");
    // One who has begun to remove it locks or removes one directory after the other.
    let is_whole = told["directories"].as_array().unwrap().len() == before.len();
    is_whole && after == before && told["directories"] == removed["directories"]
}

/// What `new` leaves when it is killed between making a directory and marking it.
#[test]
fn a_directory_that_was_made_and_not_marked_goes_when_its_maker_is_dead() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new keeps-the-parent").done().is(0).quiet();
    let parent = groups.directories("").swap_remove(0);
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    let makers = [("dead", dead.id()), ("living", std::process::id())];
    for (name, maker) in makers {
        let attribute = format!("user.cgctl.{maker}");
        rustix::fs::setxattr(&parent, attribute, name.as_bytes(), rustix::fs::XattrFlags::empty()).unwrap();
        fs::create_dir(parent.join(name)).unwrap();
    }
    tests::eventually("gc finds it", || {
        groups.sandbox.run("cgctl gc").done().is(0);
        !parent.join("dead").exists()
    });
    assert!(parent.join("living").exists());
    let mut list = [0; 256];
    let length = rustix::fs::listxattr(&parent, &mut list[..]).unwrap();
    let list = String::from_utf8_lossy(&list[..length]).into_owned();
    let is_said = |maker: u32| list.split('\0').any(|attribute| attribute == format!("user.cgctl.{maker}"));
    assert_eq!(makers.map(|(_, maker)| is_said(maker)), [false, true], "{list}");
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
    let file = if has_v2() { "cgroup.freeze" } else { "freezer.state" };
    let tracking = directories.iter().find(|path| path.join(file).exists()).unwrap();
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
