//! Without root's rights, in a group that root has given away, and outside of any.

use crate::kept::Kept;
use tests::{Run, Sandbox};

const USER: &str = "setpriv --reuid 64321 --regid 64321 --clear-groups";

/// A command of the user's in the group.
fn as_user(kept: &Kept<'_>, words: &str) -> Run {
    kept.run("exec", "--").args(USER.split(' ')).args(words.split_whitespace())
}

#[test]
fn the_user_makes_groups_in_it_and_cannot_change_its_limits() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=256M pids=100");
    kept.run("delegate", "64321").done().is(0).quiet();
    let inside = as_user(&kept, "cgctl new m=64M pids=20 -- cat /proc/self/cgroup").done().is(0).quiet();
    assert!(inside.text().contains(&format!(":/cgctl/{}/cgctl.run-", kept.name)), "{inside}");
    let own = as_user(&kept, "cgctl set").arg(format!("/cgctl/{}", kept.name)).arg("m=1G").done();
    own.is(125).complains_as("cgctl").says("hint: the limits of a delegated group are its giver's");
    assert_eq!(kept.get("m"), "256M");
}

#[test]
fn what_the_user_makes_may_stay_and_is_limited_by_what_is_around() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=100");
    kept.run("delegate", "64321").done().is(0).quiet();
    as_user(&kept, "cgctl new job pids=7").done().is(0).quiet();
    let path = format!("/cgctl/{}/cgctl/job", kept.name);
    assert_eq!(sandbox.run("cgctl get").args([&path, "pids"]).done().is(0).text(), "7");
    let mut way = kept.name.clone();
    if kept.file("cgroup.subtree_control").is_some_and(|enabled| !enabled.is_empty()) {
        let refused = kept.run("exec", "-- true").done().is(125);
        refused.says("hint: enter a group inside it: cgctl exec NAME/cgctl.leaf");
        way += "/cgctl.leaf";
    }
    let inside = |words: &str| {
        let run = sandbox.run("cgctl exec").args([&way, "--"]).args(USER.split(' '));
        run.args(words.split(' ')).done().is(0).text()
    };
    assert_eq!(inside("cgctl get job pids"), "7");
    inside("cgctl gc");
    assert_eq!(inside("cgctl get job pids"), "7");
}

#[test]
fn orphans_of_others_are_no_business_of_the_user() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=100");
    let name = format!("{}/orphan", kept.name);
    let job = sandbox.run("cgctl new").args([&name, "--", "sh", "-c", "echo ready; exec sleep 60"]).start();
    job.until("ready");
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
    sandbox.run(USER).args(["cgctl", "gc"]).done().is(0).quiet();
    sandbox.run("cgctl gc").done().is(0);
    tests::eventually("it is removed", || kept.directories().iter().all(|dir| !dir.join("orphan").exists()));
}

#[test]
fn root_takes_it_back() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=100");
    kept.run("delegate", "64321:64321").done().is(0).quiet();
    kept.run("delegate", "root").done().is(0).quiet();
    as_user(&kept, "cgctl new -- true").done().is(125).says("Permission denied");
}

#[test]
fn nobody_enters_it_from_outside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=100");
    kept.run("delegate", "64321").done().is(0).quiet();
    if kept.file("cgroup.events").is_none() {
        // cgroup v1 has no such border.
        return;
    }
    let user =
        sandbox.run(USER).args(["cgctl", "exec", &format!("/cgctl/{}", kept.name), "--", "true"]).done();
    let refused = user.is(125).complains_as("cgctl").says("Permission denied");
    refused.says("needs to own cgroup.procs there and in the nearest group above both");
}

#[test]
fn without_a_group_the_exact_line_is_told() {
    let user = Sandbox::user();
    if std::path::Path::new("/run/systemd/system").exists() {
        return;
    }
    let done = user.run("cgctl new m=64M -- true").done();
    if done.status == 0 {
        return tests::skip("this user can make groups");
    }
    let uid = if tests::is_root() { tests::shared::NOBODY_ELSE } else { rustix::process::getuid().as_raw() };
    let line = format!("cgctl new user-{uid} && cgctl delegate user-{uid} {uid} && cgctl move user-{uid} ");
    done.is(125).complains_as("cgctl").says("Permission denied").says(&line);
    let info = user.run("cgctl info").done().is(0).quiet();
    assert!(info.text().contains(&format!("  cure: as root: {line}")), "{info}");
}
