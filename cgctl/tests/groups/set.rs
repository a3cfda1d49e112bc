//! Limits changed: all or none.

use crate::kept::Kept;
use tests::{Sandbox, each};

#[test]
fn what_was_set_before_a_failure_is_put_back_and_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=64M pids=5 weight=50");
    let before = kept.get("");
    let done = kept.run("set", "m=32M pids=9 weight=70 memory.nosuch=1").done().is(125);
    done.says("m, pids, weight are as before").says("cannot set memory.nosuch=1: this kernel has no file");
    assert_eq!(kept.get(""), before);
    kept.run("set", "m=32M pids=9 nosuch=1").done().is(125).complains_as("cgctl");
    assert_eq!(kept.get(""), before);
}

#[test]
fn memory_and_swap_go_up_and_down_together() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "");
    let has_swap = kept.run("set", "m=64M swap=1M").done().status == 0;
    if !has_swap {
        return tests::skip("it needs swap accounting");
    }
    for (words, memory, swap) in [
        ("m=128M", "128M", "1M"),
        ("m=16M", "16M", "1M"),
        ("swap=0", "16M", "0"),
        ("m=32M swap=64M", "32M", "64M"),
        ("m=8M swap=max", "8M", "max"),
        ("m=16M", "16M", "max"),
        ("m=max", "max", "max"),
        ("m=16M", "16M", "0"),
    ] {
        kept.run("set", words).done().is(0).quiet();
        assert_eq!((kept.get("m").as_str(), kept.get("swap").as_str()), (memory, swap), "{words}");
    }
}

#[test]
fn less_memory_than_is_used_needs_force() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=256M");
    let script = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; sleep 60; echo $x";
    let job = kept.run("exec", "--").args(["sh", "-c", script]).start();
    job.until("ready");
    let done = kept.run("set", "m=4M").done().is(125).complains_as("cgctl");
    done.says("cannot set m=4M: the group uses ").says("hint: --force lets");
    assert_eq!(kept.get("m"), "256M");
    let forced = kept.run("set", "--force m=4M").done();
    match forced.status {
        0 => assert_eq!(kept.get("m"), "4M"),
        _ => drop(forced.is(125).says("the group uses more than that, and cannot give it back")),
    }
    job.signal(nix::sys::signal::Signal::SIGKILL);
    job.done();
}

#[test]
fn a_limit_that_the_group_had_no_need_of_before_holds_for_what_is_in_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "m=256M");
    let job = kept.run("exec", "--").args(["sh", "-c", "echo ready; read -r _; sleep 0 & wait"]).stdin_pipe();
    let mut job = job.start();
    job.until("ready");
    kept.run("set", "pids=1").done().is(0).quiet();
    drop(job.input());
    let done = job.done();
    assert!(done.talk().to_lowercase().contains("fork"), "{done}");
    assert_eq!(kept.get("pids"), "1");
}

#[test]
fn processors_alone_are_enough_and_all_means_those_above() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::name(&sandbox);
    let made = kept.run("new", "cpus=0").done();
    if made.status != 0 {
        // As in User-Mode Linux.
        made.says("the cpuset controller is not available here");
        return;
    }
    let allowed = kept.run("exec", "-- grep Cpus_allowed_list /proc/self/status").done().is(0).quiet();
    assert!(allowed.text().ends_with("\t0"), "{allowed}");
    assert!(!kept.either("cpuset.mems.effective", "cpuset.effective_mems").is_empty());
    kept.run("set", "cpus=all mems=all").done().is(0).quiet();
    kept.run("set", "cpus=4000").done().is(125).complains_as("cgctl").says("no such processor");
}

#[test]
fn misuse_is_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let kept = Kept::new(&sandbox, "cpu=0.5 weight=50");
    each(
        [
            ("set", "m", "it is no KEY=VALUE"),
            ("set", "weight=5 weight=6", "weight=5 is there already"),
            ("set", "cpu.burst=2", "hint: a burst is at most as much as cpu"),
            ("set", "cgroup.procs=1", "cgroup.procs is no limit"),
            ("set", "io=/dev/null:rbps=1", "/dev/null is a character device"),
            ("delegate", "no-such-user", "there is no user no-such-user"),
            ("delegate", "root:no-such-group", "there is no group no-such-group"),
        ],
        |(verb, words, why)| {
            let done = kept.run(verb, words).done().is(125).complains_as("cgctl");
            done.says(why);
        },
    );
    sandbox.run("cgctl set / pids=5").done().is(125).complains_as("cgctl").says("the whole machine");
    sandbox.run("cgctl get ../x").done().is(125).complains_as("cgctl").says("has no ..");
    kept.run("set", "cpu.idle=1").done().is(0);
    kept.run("set", "weight=5").done().is(125).says("hint: with cpu.idle=1 a group has no weight");
    kept.run("set", "weight=5 cpu.idle=0").done().is(0).quiet();
}
