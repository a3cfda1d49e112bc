//! cgroup v2: who may have processes, and who limits.

use crate::kept::Kept;
use rustix::fs::{XattrFlags, setxattr};
use std::fs;
use std::path::PathBuf;
use tests::{Sandbox, cgroup};

/// The unified tree, and a setting for a controller that it has.
fn unified() -> Option<(PathBuf, &'static str)> {
    let (top, _) = cgroup::hierarchies().into_iter().find(|(_, kind)| kind == "cgroup2")?;
    let offered = fs::read_to_string(top.join("cgroup.controllers")).unwrap();
    let has = |name: &str| offered.split_whitespace().any(|other| other == name);
    if has("pids") {
        return Some((top, "pids=50"));
    }
    has("hugetlb").then_some((top, "hugetlb.2MB=max"))
}

const SHOW: &str = "grep ^0:: /proc/self/cgroup";

#[test]
fn a_group_with_processes_hands_nothing_down_until_it_is_evacuated() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((_, word)) = unified() else { return };
    let script = format!(
        "cgctl new {word} -- true; echo $?; cgctl new --evacuate {word} -- {SHOW}; {SHOW}; cgctl new {word} -- {SHOW}"
    );
    let done = sandbox.run("cgctl new -- sh -c").arg(&script).done().is(0);
    let lines: Vec<String> = done.text().lines().map(str::to_owned).collect();
    let outer = lines[2].strip_suffix("/cgctl.leaf").unwrap_or_else(|| panic!("{done}"));
    assert_eq!(lines[0], "125");
    assert!(lines[1].starts_with(&format!("{outer}/cgctl.run-")), "{done}");
    assert!(lines[3].starts_with(&format!("{outer}/cgctl.run-")), "{done}");
    done.says("is in it; a group has either processes or limited groups below it")
        .says("hint: with --evacuate its processes are moved to a group cgctl.leaf inside it");
}

#[test]
fn a_group_that_limits_others_takes_no_process() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((_, word)) = unified() else { return };
    let kept = Kept::new(&sandbox, "");
    sandbox.run("cgctl new").args([&format!("{}/inner", kept.name), word]).done().is(0).quiet();
    let done = kept.run("exec", "-- true").done().is(125).complains_as("cgctl");
    done.says("down to groups below it, so it takes no process itself")
        .says("hint: enter a group inside it: cgctl exec NAME/BELOW");
}

#[test]
fn threaded_and_invalid_groups_are_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((top, word)) = unified() else { return };
    let kept = Kept::name(&sandbox);
    let base = top.join(&kept.name);
    fs::create_dir_all(base.join("threads")).unwrap();
    fs::create_dir(base.join("invalid")).unwrap();
    fs::write(base.join("threads/cgroup.type"), "threaded").unwrap();
    let done = sandbox.run("cgctl exec").args([&format!("/{}/invalid", kept.name), "--", "true"]).done();
    done.is(125).complains_as("cgctl").says("its cgroup.type is 'domain invalid', which takes no process");
    let job =
        sandbox.run("sh -c").arg(format!("echo $$ >{}/cgroup.procs; echo ready; sleep 60", base.display()));
    let job = job.start();
    job.until("ready");
    let done =
        sandbox.run("cgctl new --parent").args([&format!("/{}", kept.name), word, "--", "true"]).done();
    done.is(125).complains_as("cgctl").says("it is a domain threaded group");
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
}

#[test]
fn groups_of_systemd_are_left_alone_unless_delegated() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((top, word)) = unified() else { return };
    let kept = Kept::name(&sandbox);
    let base = top.join(&kept.name).join("web.service");
    fs::create_dir_all(&base).unwrap();
    setxattr(&base, "user.invocation_id", b"0123", XattrFlags::empty()).unwrap();
    let run = || {
        let parent = format!("/{}/web.service", kept.name);
        sandbox.run("cgctl new --parent").args([&parent, word, "--", "true"]).done()
    };
    let refused = run().is(125).complains_as("cgctl");
    refused.says("it is web.service of systemd").says("hint: systemctl edit web.service, with Delegate=yes");
    setxattr(&base, "user.delegate", b"1", XattrFlags::empty()).unwrap();
    run().is(0).quiet();
}

#[test]
fn only_what_is_missing_is_enabled_and_only_on_the_way() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((top, word)) = unified() else { return };
    let kept = Kept::name(&sandbox);
    sandbox.run("cgctl new").args([&format!("{}/a/b", kept.name), word]).done().is(0).quiet();
    let enabled = |below: &str| {
        fs::read_to_string(top.join("cgctl").join(&kept.name).join(below).join("cgroup.subtree_control"))
            .unwrap()
    };
    let controller = if word.starts_with("pids") { "pids\n" } else { "hugetlb\n" };
    assert_eq!(
        (enabled("").as_str(), enabled("a").as_str(), enabled("a/b").as_str()),
        (controller, controller, "")
    );
}

#[test]
fn a_limit_set_later_evacuates_the_group_above_when_it_is_told_to() {
    let Some(sandbox) = Sandbox::root() else { return };
    let Some((top, word)) = unified() else { return };
    let kept = Kept::new(&sandbox, "");
    let job = kept.run("exec", "-- sh -c").arg("echo ready; exec sleep 60").start();
    job.until("ready");
    let inner = format!("{}/inner", kept.name);
    sandbox.run("cgctl new").arg(&inner).done().is(0).quiet();
    let refused = sandbox.run("cgctl set").args([&inner, word]).done().is(125).complains_as("cgctl");
    refused.says("is in it; a group has either processes or limited groups below it");
    sandbox.run("cgctl set --evacuate").args([&inner, word]).done().is(0).quiet();
    let leaf =
        fs::read_to_string(top.join("cgctl").join(&kept.name).join("cgctl.leaf/cgroup.procs")).unwrap();
    assert_eq!(leaf.trim(), job.pid().to_string());
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
}

#[test]
fn in_a_container_the_top_that_is_seen_is_a_group_like_any_other() {
    let Some(sandbox) = Sandbox::root() else { return };
    let hierarchies = cgroup::hierarchies();
    let [(top, kind)] = &hierarchies[..] else { return };
    if kind != "cgroup2" {
        return;
    }
    let kept = Kept::new(&sandbox, "pids=max");
    let top = top.display();
    let script = format!(
        "umount {top}; mount -t cgroup2 none {top}; cgctl new m=9M -- true; cgctl new pids=9 -- true; \
         cgctl new --evacuate pids=9 -- {SHOW}; {SHOW}; cgctl new pids=9 -- {SHOW}; cgctl set / pids=9"
    );
    let run = kept.run("exec", "-- unshare -Cm --propagation private sh -c").arg(script).done().is(125);
    let lines: Vec<String> = run.text().lines().map(str::to_owned).collect();
    assert!(lines.len() == 3 && lines[1] == "0::/cgctl.leaf", "{run}");
    assert!([&lines[0], &lines[2]].iter().all(|line| line.starts_with("0::/cgctl.run-")), "{run}");
    run.says("hint: outside, the group of this container needs the controller")
        .says("hint: with --evacuate its processes")
        .says("cannot limit the top of a hierarchy");
}
