//! `new --timeout` and `--die-with-parent`: what ends a command before its time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use nix::sys::signal::Signal::SIGKILL;
use std::time::{Duration, Instant};
use tests::{Sandbox, cgroup, each, eventually};

const CHAIN: &str = "unshare-rs -pum pivot rootfs";

fn groups(name: &str) -> usize {
    cgroup::ours().iter().filter(|group| group.ends_with(name)).count()
}

#[test]
fn a_command_within_its_time_has_its_own_status() {
    let Some(sandbox) = Sandbox::root() else { return };
    each([("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("exit 124", 124)], |(script, status)| {
        sandbox.run("cgctl new --timeout 1m -- sh -c").arg(script).done().is(status).quiet();
    });
}

#[test]
fn a_command_whose_time_is_up_is_sent_term_and_the_status_is_124() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("", "sleep 60"),
        ("", "trap 'exit 0' TERM; while :; do sleep 0.1; done"),
        ("", "kill -STOP $$; sleep 60"),
        (CHAIN, "sleep 60"),
        (CHAIN, "sleep 60 & wait"),
        (CHAIN, "trap 'exit 3' TERM; while :; do sleep 0.1; done"),
        ("unshare-rs -p --init", "sleep 60"),
        ("cgctl new pids=50 --", "sleep 60"),
    ];
    each(rows, |(links, script)| {
        let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["--timeout", "0.3", "--"]);
        let outcome = run.args(links.split_whitespace()).args(["sh", "-c", script]).done().is(124);
        let line =
            format!("cgctl: {}: the time limit of 0.3s was reached: it ended on TERM\n", sandbox.name());
        assert_eq!(outcome.talk(), line, "{links} {script}");
        assert_eq!(groups(sandbox.name()), 0);
    });
}

#[test]
fn one_that_does_not_end_on_term_is_killed_with_all_that_it_started() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "trap '' TERM; setsid sleep 60 & while :; do sleep 0.1; done";
    each(["", CHAIN], |links| {
        // The trap has to be set before.
        let (start, timeout) = (Instant::now(), tests::patience(3));
        let run =
            sandbox.run("cgctl new --kill-after 300ms --timeout").arg(format!("{}ms", timeout.as_millis()));
        let run = run.arg("--").args(links.split_whitespace()).args(["sh", "-c", script]);
        let outcome = run.done().is(124);
        assert!(start.elapsed() >= timeout + Duration::from_millis(300));
        outcome.says("s was reached: killed, as TERM had not ended it after 0.3s\n");
        assert!(sandbox.marker().processes().is_empty());
    });
}

#[test]
fn without_a_grace_it_is_killed_at_once() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new --timeout 10ms --kill-after 0 -- sh -c");
    run.arg("trap '' TERM; while :; do sleep 0.1; done").done().is(124).says("killed, as TERM");
}

#[test]
fn a_short_time_is_kept_to() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = sandbox.run("cgctl new --timeout 5ms --report json -- sleep 60").done().is(124).talk();
    let report: serde_json::Value = serde_json::from_str(report.lines().last().unwrap()).unwrap();
    assert_eq!((&report["timed_out"], &report["signal"]), (&true.into(), &15.into()));
    let wall = Duration::from_micros(report["wall_usec"].as_u64().unwrap());
    assert!((Duration::from_millis(5)..tests::patience(1)).contains(&wall), "{report}");
}

#[test]
fn signals_are_still_handed_on_after_the_time_is_up() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "trap 'echo term' TERM; trap 'exit 5' USR1; echo ready; while :; do sleep 0.05; done";
    // The traps have to be set before.
    let timeout = format!("{}ms", tests::patience(3).as_millis());
    let run = sandbox.run("cgctl new --kill-after 1m --timeout").args([&timeout, "--", "sh", "-c", script]);
    let job = run.start();
    job.until("term");
    job.signal(nix::sys::signal::Signal::SIGUSR1);
    job.done().is(124).says("it ended on TERM");
}

#[test]
fn a_time_that_is_none_is_refused() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("--timeout 0", "cannot use 0 for --timeout <DURATION>: it is no time at all"),
        ("--timeout x", "x is not a number"),
        ("--timeout 5y", "y is not ms, s, m, h or d"),
        ("--kill-after 5", "--timeout <DURATION> is missing"),
    ];
    each(rows, |(words, why)| {
        let run = sandbox.run("cgctl new").args(words.split(' ')).args(["--", "touch", "made"]);
        run.done().is(125).says(why).complains_as("cgctl");
        assert!(!sandbox.path("made").exists());
    });
    sandbox.run("cgctl new some --timeout 5").done().is(125).says("<COMMAND>... is missing");
}

/// A cgctl whose parent is a shell that stays.
fn orphan_to_be(sandbox: &Sandbox, words: &str) -> tests::Job {
    let script = format!(
        "cgctl new {} {words} -- sh -c 'trap \"\" TERM; setsid sleep 60 & probe hold' & wait",
        sandbox.name()
    );
    let job = sandbox.shell(&script).start();
    job.until("ready");
    job
}

#[test]
fn the_death_of_the_parent_ends_the_group_when_asked_for() {
    let Some(sandbox) = Sandbox::root() else { return };
    let job = orphan_to_be(&sandbox, "--die-with-parent");
    nix::sys::signal::kill(job.pid(), SIGKILL).unwrap();
    eventually("all have ended", || sandbox.marker().processes().is_empty());
    eventually("the group is gone", || groups(sandbox.name()) == 0);
    job.done().is(-9);
}

#[test]
fn without_being_asked_cgctl_outlives_its_parent() {
    let Some(sandbox) = Sandbox::root() else { return };
    let job = orphan_to_be(&sandbox, "");
    nix::sys::signal::kill(job.pid(), SIGKILL).unwrap();
    job.done().is(-9);
    assert!(groups(sandbox.name()) > 0);
    let cgctl = sandbox.inner("cgctl");
    nix::sys::signal::kill(sandbox.inner("probe"), SIGKILL).unwrap();
    eventually("cgctl has ended", || !sandbox.marker().processes().contains(&cgctl));
    assert_eq!(groups(sandbox.name()), 0);
}
