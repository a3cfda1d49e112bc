//! `--init`: a reaper of one's own in a pid namespace whose PID 1 reaps nobody.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tests::{Sandbox, each, leak};

/// Zombies among the children of a process.
fn zombies(parent: Pid) -> usize {
    leak::children(parent).into_iter().filter(|child| leak::state(*child) == Some('Z')).count()
}

#[test]
fn what_the_command_leaves_behind_is_reaped() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "for n in 1 2 3; do (sleep 0.0$n & ) ; done; sleep 0.2; echo done; exec cat";
    for (options, left) in [("-t T -a --init", 0), ("-t T -a", 3)] {
        let target = Target::start(&sandbox, "unshare-rs -pum --mount-proc");
        let first = Pid::from_raw(target.pid.parse().unwrap());
        let job = target.enter(&sandbox, &format!("{options} sh -c")).arg(script).stdin_pipe().start();
        job.until("done");
        tests::eventually("the orphans have ended", || zombies(first) == left);
        assert_eq!(zombies(first), left, "{options}");
    }
}

#[test]
fn status_and_signals_go_through_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum --mount-proc");
    each(["-t T -a --init", "-t T -n --init", "-t T -a --init -S 7"], |options| {
        assert_eq!(target.enter(&sandbox, &format!("{options} sh -c exit\u{a0}7")).done().status, 7);
        assert_eq!(
            target.enter(&sandbox, &format!("{options} sh -c kill\u{a0}-9\u{a0}$$")).done().status,
            137
        );
        target
            .enter(&sandbox, &format!("{options} no-such-program"))
            .done()
            .is(127)
            .complains_as("nsenter-rs");
        let job = target
            .enter(&sandbox, &format!("{options} sh -c echo\u{a0}ready;\u{a0}exec\u{a0}sleep\u{a0}60"))
            .start();
        job.until("ready");
        job.signal(Signal::SIGTERM);
        assert_eq!(job.done().status, 128 + 15);
    });
    target.refused(&sandbox, "-t T -p --init -F true").says("does not go with");
}

#[test]
fn nothing_stays_when_the_outer_link_is_killed() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum --mount-proc");
    let count = || sandbox.marker().processes().len();
    let before = count();
    each(["-t T -a", "-t T -a --init", "-t T -a --init -S 7 -G 7", "-t T -a -S 7"], |options| {
        let line = format!("{options} sh -c echo\u{a0}ready;\u{a0}exec\u{a0}sleep\u{a0}60");
        let job = target.enter(&sandbox, &line).start();
        job.until("ready");
        assert!(count() > before);
        job.signal(Signal::SIGKILL);
        job.done();
        tests::eventually("all have ended", || count() == before);
    });
}
