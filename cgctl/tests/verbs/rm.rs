//! `rm`.

use crate::support::Groups;
use nix::sys::signal::Signal::SIGKILL;
use tests::Sandbox;

#[test]
fn a_group_is_removed_from_every_hierarchy_with_those_inside() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9 cpu=1").done().is(0).quiet();
    groups.cgctl("new a/b/c m=16M").done().is(0).quiet();
    groups.cgctl("new d").done().is(0).quiet();
    assert!(!groups.directories("a/b/c").is_empty());
    groups.cgctl("rm a").done().is(0).quiet();
    assert!(groups.directories("a").is_empty());
    assert!(!groups.directories("d").is_empty());
    groups.cgctl("rm a").done().is(125).complains_as("cgctl").says("there is no such group");
    groups.cgctl("rm -f a").done().is(0).quiet();
}

#[test]
fn a_group_with_processes_stays_and_they_are_told() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M").done().is(0).quiet();
    groups.cgctl("new a/b").done().is(0).quiet();
    let job = groups.hold("a/b");
    let before = groups.directories("a");
    let done = groups.cgctl("rm a").done().is(125).complains_as("cgctl");
    done.says(&format!("cannot remove group a: process {} (probe) is in it\n", job.pid()))
        .says("cgctl rm --kill");
    assert_eq!(groups.directories("a"), before);
    groups.sandbox.run("cgctl gc").done().is(0);
    assert_eq!(groups.cgctl("pids -r a").done().text(), job.pid().to_string());
    groups.cgctl("rm --kill a").done().is(0).quiet();
    job.done().is(-9);
    assert!(groups.directories("a").is_empty());
}

#[test]
fn the_others_are_removed_past_one_that_stays() {
    let Some(groups) = Groups::new() else { return };
    for name in ["a", "b", "c"] {
        groups.cgctl("new").arg(name).done().is(0).quiet();
    }
    let job = groups.hold("b");
    let done = groups.cgctl("rm a b nosuch c").done().is(125);
    assert_eq!(done.talk().matches("cgctl: cannot ").count(), 2, "{done}");
    assert_eq!(groups.cgctl("ls").done().text(), format!("b\n`- {} probe", job.pid()));
}

#[test]
fn a_group_of_a_living_cgctl_is_removed_by_that_one() {
    let Some(groups) = Groups::new() else { return };
    let owner = groups.cgctl("new a m=32M -- probe hold").start();
    owner.until("ready");
    groups.cgctl("rm a").done().is(125).complains_as("cgctl").says("cannot remove group a: process ");
    groups.cgctl("rm --kill a").done().is(0).quiet();
    owner.done().is(137).quiet();
    assert!(groups.directories("a").is_empty());
}

#[test]
fn a_group_around_that_of_a_living_cgctl_is_removed_with_it() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M").done().is(0).quiet();
    let owner = groups.cgctl("new a/b m=16M -- probe hold").start();
    owner.until("ready");
    groups.cgctl("rm --kill a").done().is(0).quiet();
    owner.done().is(137).quiet();
    assert!(groups.directories("a").is_empty());
}

#[test]
fn an_orphan_is_removed_by_its_name() {
    let Some(groups) = Groups::new() else { return };
    let owner = groups.cgctl("new a m=32M -- probe hold").start();
    owner.until("ready").signal(SIGKILL);
    owner.done();
    groups.cgctl("rm --kill --force a").done().is(0).quiet();
    assert!(groups.directories("a").is_empty());
}

#[test]
fn cgctl_does_not_remove_the_group_it_is_in() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let done = groups.cgctl("exec a -- cgctl rm --kill a").done().is(125).complains_as("cgctl");
    done.says("cannot remove group a: this cgctl is in it");
    assert!(!groups.directories("a").is_empty());
}

#[test]
fn a_name_that_cannot_be_one_is_refused_before_anything_is_removed() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("rm a ../b").done().is(125).complains_as("cgctl").says("a path of groups has no ..");
    groups.cgctl("rm -f a").arg("").done().is(125).complains_as("cgctl").says("the name is empty");
    assert!(!groups.directories("a").is_empty());
}

#[test]
fn another_users_group_is_not_removed() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let user = Sandbox::user();
    let path = format!("/{}", groups.path("a"));
    let done = user.run("cgctl rm").arg(&path).done().is(125).complains_as("cgctl");
    done.says("Permission denied");
    assert!(!groups.directories("a").is_empty());
    // Nor has it lost what keeps it from gc.
    groups.sandbox.run("cgctl gc").done().is(0);
    assert!(!groups.directories("a").is_empty());
}

#[test]
fn a_group_of_others_stays_with_its_limits_when_one_of_ours_inside_it_goes() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=64M").done().is(0).quiet();
    let others: Vec<_> =
        groups.directories("a").into_iter().map(|directory| directory.join("other")).collect();
    assert!(!others.is_empty());
    others.iter().for_each(|other| std::fs::create_dir(other).unwrap());
    let are_there = || assert!(others.iter().all(|other| other.is_dir() && !other.join("y").exists()));
    groups.cgctl("new a/other/x m=32M -- true").done().is(0).quiet();
    are_there();
    groups.cgctl("new a/other/y/z m=32M -- true").done().is(0).quiet();
    are_there();
    let parent = format!("/{}", groups.path("a/other"));
    groups.cgctl("new m=32M --parent").arg(&parent).args(["--", "true"]).done().is(0).quiet();
    are_there();
    groups.cgctl("new a/other/x m=32M").done().is(0).quiet();
    groups.cgctl("rm a/other/x").done().is(0).quiet();
    are_there();
}
