//! Groups without a command, and names with more than one part.

use crate::kept::Kept;
use std::fs;
use tests::{Sandbox, cgroup, each};

#[test]
fn a_group_without_a_command_stays_when_others_are_swept() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M pids=5");
    sandbox.run("cgctl gc").done().is(0);
    sandbox.run("cgctl new -- true").done().is(0).quiet();
    assert_eq!(kept.either("memory.max", "memory.limit_in_bytes"), "67108864");
    assert_eq!(kept.file("pids.max").unwrap(), "5");
}

#[test]
fn a_group_that_is_there_is_not_made_again() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=5");
    let again = kept.run("new", "pids=6").done().is(125).complains_as("cgctl");
    again.says("it is there already").says(&format!("hint: cgctl set {} KEY=VALUE...", kept.name));
    let command = kept.run("new", "-- true").done().is(125).complains_as("cgctl");
    command.says(&format!("hint: cgctl exec {} -- COMMAND", kept.name));
    assert_eq!(kept.get("pids"), "5");
}

#[test]
fn what_was_half_made_is_undone() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    each(["", "/inner", "/middle/inner"], |below| {
        let run =
            sandbox.run("cgctl new").arg(format!("{}{below}", kept.name)).args(["pids=5", "memory.nosuch=1"]);
        run.done().is(125).complains_as("cgctl").says("this kernel has no file memory.nosuch");
        assert!(kept.directories().is_empty(), "{:?}", kept.directories());
    });
}

#[test]
fn of_many_who_make_the_same_group_one_succeeds() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let jobs: Vec<_> = (0..8).map(|_| kept.run("new", "pids=5").start()).collect();
    let done: Vec<_> = jobs.into_iter().map(tests::Job::done).collect();
    assert_eq!(done.iter().filter(|outcome| outcome.status == 0).count(), 1, "{done:?}");
    assert_eq!(kept.get("pids"), "5");
}

#[test]
fn a_group_inside_a_group_is_made_with_what_is_missing_on_the_way() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let name = format!("{}/middle/inner", kept.name);
    sandbox.run("cgctl new").args([&name, "pids=7"]).done().is(0).quiet();
    sandbox.run("cgctl gc").done().is(0);
    let inside =
        sandbox.run("cgctl exec").args([&name, "--", "cat", "/proc/self/cgroup"]).done().is(0).quiet();
    assert!(inside.text().contains(&format!(":/cgctl/{name}")), "{inside}");
    assert_eq!(sandbox.run("cgctl get").args([&name, "pids"]).done().is(0).text(), "7");
}

#[test]
fn a_command_in_a_group_inside_leaves_the_outer_one_alone() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "pids=50");
    let before = kept.directories();
    let name = format!("{}/way/job", kept.name);
    let run = sandbox.run("cgctl new").args([&name, "pids=7", "--", "cat", "/proc/self/cgroup"]).done();
    assert!(run.is(0).quiet().text().contains(&format!(":/cgctl/{name}")));
    assert_eq!(kept.directories(), before);
    for dir in before {
        assert!(!dir.join("way").exists(), "{}", dir.display());
    }
}

#[test]
fn a_parent_is_given_by_option_or_variable_or_with_the_name() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let (parent, show) = (format!("/{}", kept.name), ["--", "cat", "/proc/self/cgroup"]);
    let path = format!("{parent}/job");
    for run in [
        sandbox.run("cgctl new --parent").args([&parent, "job"]),
        sandbox.run("cgctl new job").env("CGCTL_PARENT", &parent),
        sandbox.run("cgctl new").arg(&path),
    ] {
        let done = run.args(["pids=9"]).args(show).done().is(0).quiet();
        assert!(
            done.text().contains(&format!(":{path}\n")) || done.text().ends_with(&format!(":{path}")),
            "{done}"
        );
        assert!(kept.directories().is_empty(), "{:?}", kept.directories());
    }
    let unnamed = sandbox.run("cgctl new --parent").arg(&parent).args(show).done().is(0).quiet();
    assert!(unnamed.text().contains(&format!(":{parent}/cgctl.run-")), "{unnamed}");
    assert!(kept.directories().is_empty());
}

#[test]
fn what_a_killed_one_leaves_in_a_given_parent_is_swept_and_nothing_else() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let tops: Vec<_> = cgroup::hierarchies().into_iter().map(|(top, _)| top.join(&kept.name)).collect();
    for top in &tops {
        fs::create_dir(top).unwrap();
        fs::create_dir(top.join("of-another")).unwrap();
    }
    let run = sandbox.run("cgctl new --parent").arg(format!("/{}", kept.name));
    let job = run.args(["job", "pids=9", "--", "sh", "-c", "echo ready; exec sleep 60"]).start();
    job.until("ready");
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
    sandbox.run("cgctl gc").done().is(0);
    tests::eventually("it is removed", || tops.iter().all(|top| !top.join("job").exists()));
    assert!(tops.iter().all(|top| top.join("of-another").exists()));
}

#[test]
fn a_group_made_in_a_given_parent_holds_what_its_command_makes() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let outer = sandbox.run("cgctl new").args([&format!("/{}/outer", kept.name), "--", "cgctl", "new", "--"]);
    let done = outer.args(["cat", "/proc/self/cgroup"]).done().is(0).quiet();
    assert!(done.text().contains(&format!(":/{}/outer/cgctl.run-", kept.name)), "{done}");
}

#[test]
fn an_exec_is_in_every_hierarchy_of_the_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M pids=5 cpu=1");
    let inside = kept.run("exec", "-- cat /proc/self/cgroup").done().is(0).quiet().text();
    let count = inside.lines().filter(|line| line.ends_with(&format!(":/cgctl/{}", kept.name))).count();
    assert_eq!(count, kept.directories().len(), "{inside}");
    for (command, status) in [("sh -c exit+42", 42), ("/etc/passwd", 126), ("no-such-program", 127)] {
        let run = kept.run("exec", "--").args(command.split(' ').map(|word| word.replace('+', " ")));
        run.done().is(status);
    }
}

#[test]
fn a_group_that_is_not_there_is_not_found() {
    let Some(sandbox) = Sandbox::root() else { return };
    for line in
        ["get nosuch", "set nosuch pids=5", "exec nosuch -- true", "delegate nosuch root", "get /no/such"]
    {
        let done = sandbox.run("cgctl").args(line.split(' ')).done().is(125).complains_as("cgctl");
        done.says("there is no such group");
    }
    let inside = sandbox.run("cgctl new -- cgctl get nosuch").done().is(125);
    inside.says("this process is inside /cgctl.run-");
}
