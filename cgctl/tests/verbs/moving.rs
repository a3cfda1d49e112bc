//! `move`.

use crate::support::{Groups, has_v2};
use std::fs;
use std::process::Command;
use tests::{Job, cgroup};

fn cgroups(job: &Job) -> String {
    fs::read_to_string(format!("/proc/{}/cgroup", job.pid())).unwrap()
}

fn outside(groups: &Groups) -> Job {
    let job = groups.run("probe hold").start();
    job.until("ready");
    job
}

#[test]
fn a_process_is_moved_in_every_hierarchy_of_the_group() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a m=32M pids=9").done().is(0).quiet();
    let jobs = [outside(&groups), outside(&groups)];
    let pids = jobs.each_ref().map(|job| job.pid().to_string());
    groups.cgctl("move a").args(&pids).done().is(0).quiet();
    for job in &jobs {
        let text = cgroups(job);
        assert_eq!(
            text.matches(&format!(":/{}\n", groups.path("a"))).count(),
            groups.directories("a").len(),
            "{text}"
        );
    }
    assert!(groups.directories("a").len() >= if cgroup::hierarchies().len() > 1 { 2 } else { 1 });
    groups.cgctl("move a").args(&pids).done().is(0).quiet();
}

#[test]
fn what_cannot_be_moved_is_told_before_anything_is_moved() {
    let Some(groups) = Groups::new() else { return };
    groups.cgctl("new a").done().is(0).quiet();
    let job = outside(&groups);
    let before = cgroups(&job);
    let mut ended = Command::new("true").spawn().unwrap();
    tests::eventually("it is a zombie", || {
        tests::leak::state(nix::unistd::Pid::from_raw(ended.id() as i32)) == Some('Z')
    });
    let zombie = ended.id().to_string();
    let mut table = vec![
        ("x", "it is no number of a process"),
        ("0", "it is no number of a process"),
        ("-5", "it is no number of a process"),
        ("4194304999", "it is no number of a process"),
        ("4194301", "there is no such process"),
        (&zombie, "true has ended already"),
    ];
    let kernel = fs::read_to_string("/proc/2/comm").is_ok_and(|name| name == "kthreadd\n");
    table.extend(kernel.then_some(("2", "kthreadd is a thread of the kernel")));
    for (pid, why) in table {
        let done = groups.cgctl("move a --").arg(job.pid().to_string()).arg(pid).done();
        done.is(125).complains_as("cgctl").says(&format!("cannot move process {pid}: {why}"));
    }
    ended.wait().unwrap();
    assert_eq!(cgroups(&job), before);
    groups.cgctl("move a").done().is(125).complains_as("cgctl");
}

#[test]
fn a_process_that_one_hierarchy_refuses_stays_where_it_was() {
    let Some(groups) = Groups::new() else { return };
    let hierarchies = cgroup::hierarchies();
    let Some((cpuset, _)) = hierarchies.iter().find(|(_, kind)| kind.contains("cpuset")) else {
        return;
    };
    // It goes into the one for cpu before the one for cpuset, and into that for memory after it.
    groups.cgctl("new a cpu=1 m=32M pids=9").done().is(0).quiet();
    // Without processors it takes no process.
    fs::create_dir_all(cpuset.join(groups.path("a"))).unwrap();
    let job = outside(&groups);
    let before = cgroups(&job);
    let done = groups.cgctl("move a").arg(job.pid().to_string()).done().is(125).complains_as("cgctl");
    let message =
        format!("cannot move process {} into {}", job.pid(), cpuset.join(groups.path("a")).display());
    done.says(&message).says("its cpuset has no processor or no memory node");
    assert_eq!(cgroups(&job), before);
}

#[test]
fn a_user_who_is_outside_starts_no_process_in_a_group_of_his() {
    let Some(groups) = Groups::new() else { return };
    if !has_v2() {
        return; // cgroup v1 has no such border.
    }
    groups.cgctl("new a").done().is(0).quiet();
    groups.cgctl("delegate a 64321").done().is(0).quiet();
    let user = "setpriv --reuid 64321 --regid 64321 --clear-groups";
    let done =
        groups.run(user).args(["cgctl", "new", "a/b", "--", "true"]).done().is(125).complains_as("cgctl");
    let done = done.says("cannot start a process in group a/b: Permission denied");
    done.says("needs to own cgroup.procs there and in the nearest group above both");
}
