//! The small init of `--init`, the pid file, and the tie to the parent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use nix::sys::signal::Signal;
use std::fs;
use tests::{Pty, Sandbox, eventually, leak};

#[test]
fn the_command_is_pid_2_and_orphans_are_reaped() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "echo $$; (sleep 0 & echo $! >orphan); while [ -e /proc/$(cat orphan) ]; do :; done; exit 9";
    let outcome = sandbox.run("unshare-rs --init --mount-proc sh -c").arg(script).done().is(9).quiet();
    assert_eq!(outcome.text(), "2");
}

#[test]
fn init_ends_with_the_command_and_takes_the_rest_along() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.run("unshare-rs --init sh -c").arg("sleep 1000 & exit 3").done().is(3);
    sandbox.run("unshare-rs --init sh -c").arg("kill -USR1 $$").done().is(128 + 10);
    sandbox.run("unshare-rs --init no-such-program").done().is(127);
}

#[test]
fn signals_reach_the_command_behind_init() {
    let Some(sandbox) = Sandbox::root() else { return };
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130), (Signal::SIGHUP, 129)] {
        let job = sandbox.run("unshare-rs --init sh -c").arg("echo up; exec sleep 1000").start();
        job.until("up");
        job.signal(signal);
        job.done().is(status);
    }
    let job = sandbox
        .run("unshare-rs --init sh -c")
        .arg("trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done")
        .start();
    job.until("up");
    job.signal(Signal::SIGTERM);
    job.done().is(5);
}

#[test]
fn nothing_of_the_host_can_be_reached_through_init() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "exec 9</; exec unshare-rs --init -um pivot rootfs sh -c 'ls /proc/1/fd; ls -di /proc/1/root/. /proc/1/cwd/. /.'";
    let text = sandbox.shell(script).done().is(0).quiet().text();
    let inodes: Vec<&str> = text
        .lines()
        .filter(|line| line.contains('/'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(inodes.len() == 3 && inodes.iter().all(|inode| *inode == inodes[0]), "{text}");
    let open = text.lines().filter(|line| !line.contains('/')).count();
    assert!(open <= 6, "the standard three, the pipe, the pidfd and the signalfd: {text}");
    assert!(!text.lines().any(|line| line == "9"), "{text}");
}

#[test]
fn the_terminal_stops_and_continues_the_chain_with_init_too() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut shell = Pty::start(&sandbox.run("bash --norc --noprofile -i").env("PS1", "ready> "));
    shell.until("ready> ");
    shell.keys("unshare-rs --init sleep 1000\n");
    eventually("sleep runs", || {
        sandbox.marker().processes().iter().any(|pid| leak::name(*pid).as_deref() == Some("sleep"))
    });
    shell.keys("\x1a");
    shell.until("Stopped");
    eventually("the command stands still too", || leak::state(sandbox.inner("sleep")) == Some('T'));
    shell.keys("fg\n");
    eventually("it goes on", || leak::state(sandbox.inner("sleep")) == Some('S'));
    shell.keys("\x03");
    shell.until("ready> ");
    shell.keys("echo status $?\n");
    shell.until("status 130");
}

#[test]
fn the_pid_file_is_whole_while_the_command_runs_and_gone_afterwards() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut job = sandbox.run("unshare-rs -p --pid-file pid cat").stdin_pipe().start();
    let input = job.input();
    eventually("the file is there", || sandbox.path("pid").exists());
    let pid = fs::read_to_string(sandbox.path("pid")).unwrap();
    assert_eq!(pid.trim_end().parse(), Ok(leak::children(job.pid())[0].as_raw()));
    drop(input);
    job.done().is(0);
    assert!(!sandbox.path("pid").exists());
    sandbox.run("unshare-rs -p --pid-file no/such/dir true").done().is(125).complains_as("unshare-rs");
}

#[test]
fn the_death_of_the_link_is_felt_after_a_change_of_user() {
    let Some(sandbox) = Sandbox::root() else { return };
    for options in
        ["-p -S 7", "-f -S 7 -G 7", "--init -S 7", "-fr --keep-caps -S 0", "--kill-child=TERM -S 7"]
    {
        let job = sandbox.run(&format!("unshare-rs {options} sleep 1000")).start();
        eventually("sleep runs", || {
            sandbox.marker().processes().iter().any(|pid| leak::name(*pid).as_deref() == Some("sleep"))
        });
        job.signal(Signal::SIGKILL);
        job.done().is(-9);
        eventually("nothing is left", || sandbox.marker().processes().is_empty());
    }
}
