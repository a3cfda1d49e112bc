//! The traps of util-linux's nsenter: each gives one line that names the cause, and the cure where there is one.
//! Traps that are no error here have their tests where the thing itself is tested: the terminal's input (groups.rs),
//! signals and statuses (enter.rs, init.rs), rootless entering (parity.rs), descriptors and the own program
//! (attack.rs).

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use std::fs;
use tests::{Sandbox, each};

#[test]
fn a_user_namespace_without_maps_leaves_the_ids_as_they_are() {
    for sandbox in [Sandbox::root(), Some(Sandbox::user())].into_iter().flatten() {
        let target = Target::start(&sandbox, "unshare-rs -U");
        assert_eq!(target.text(&sandbox, "-t T -U id -u"), "65534");
        assert_eq!(target.text(&sandbox, "-t T -a id -g"), "65534");
        // What is asked for by number is not to be had.
        target.refused(&sandbox, "-t T -U -S 0 true").says("the user namespace has no user 0");
        target.refused(&sandbox, "-t T -U -G 0 true").says("the user namespace has no group 0");
    }
}

#[test]
fn no_process_and_a_dead_one_are_told() {
    let sandbox = Sandbox::own();
    let run = |line: &str| {
        sandbox.run(&format!("nsenter-rs {line} true")).done().is(125).complains_as("nsenter-rs")
    };
    run("-a").says("cannot enter all namespaces: no process is given").says("-t PID");
    run("-t 2147483647 -a").says("there is none of this number").says("ps -e");
    run("-t 2147483647:5 -a").says("there is none of this number");
    run("-m").says("cannot enter the mount namespace: no process is given").says("--net=FILE");
}

#[test]
fn the_pid_namespace_without_its_mounts_is_warned_of() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pm --mount-proc");
    let talk = |options: &str| target.enter(&sandbox, &format!("{options} true")).done().is(0).talk();
    assert_eq!(talk("-t T -p").lines().count(), 1);
    assert!(talk("-t T -p").contains("-m adds the mount namespace"));
    for quiet in ["-t T -p -m", "-t T -a", "-t T -m", "-t T -p -F"] {
        assert_eq!(talk(quiet), "", "{quiet}");
    }
    drop(target);
    // Where -m would bring no other /proc it is not advised.
    let target = Target::start(&sandbox, "unshare-rs -p");
    target.enter(&sandbox, "-t T -p true").done().is(0).quiet();
}

#[test]
fn a_shell_that_is_not_there_is_replaced_or_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum pivot rootfs");
    let shell =
        |line: &str| target.enter(&sandbox, line).env("SHELL", "/no/such/zsh").stdin(b"echo $0\n").done();
    assert_eq!(shell("-t T -a").is(0).text(), "-sh");
    shell("-t T -u").is(127).complains_as("nsenter-rs").says("cannot run /no/such/zsh: no such file");

    drop(target);
    // One static file, as in distroless images.
    fs::create_dir_all(sandbox.path("bare/proc")).unwrap();
    fs::create_dir_all(sandbox.path("bare/dev")).unwrap();
    tests::program::copy(tests::bin("probe"), sandbox.path("bare/probe"));
    sandbox.file("bare/dynamic", fs::read("/bin/ls").unwrap(), 0o755);
    sandbox.file("bare/script", "#!/bin/sh\n", 0o755);
    let target = Target::of(&sandbox, sandbox.run("unshare-rs -pm pivot --bare bare /probe hold"));
    target
        .enter(&sandbox, "-t T -a")
        .done()
        .is(127)
        .complains_as("nsenter-rs")
        .says("has no shell")
        .says("--toolbox");
    let outcome = target.enter(&sandbox, "-t T -a ls").done().is(127).complains_as("nsenter-rs");
    outcome.says("not found in PATH").says("looked for in the root directory inside");
    let outcome = target.enter(&sandbox, "-t T -a /dynamic").done().is(126).complains_as("nsenter-rs");
    outcome.says("which it needs, is missing");
    let outcome = target.enter(&sandbox, "-t T -a /script").done().is(126).complains_as("nsenter-rs");
    outcome.says("/bin/sh, which it needs, is missing");
}

#[test]
fn the_missing_right_is_named() {
    let Some(root) = Sandbox::root() else { return };
    let user = Sandbox::user();
    let of_root = Target::start(&root, "unshare-rs -n");
    of_root.refused(&user, "-t T -n true").says("Permission denied").says("run it as root");
    let theirs = Target::start(&user, "unshare-rs -rnm");
    theirs.refused(&user, "-t T -n true").says("Operation not permitted").says("add -U (or -a)");
    theirs.refused(&user, "-t T -r true").says("add -U");
    theirs.refused(&user, "-U/proc/T/ns/user -n/proc/1/ns/net true").says("/proc/1/ns/net");
    user.run("nsenter-rs -S 0 true").done().is(125).complains_as("nsenter-rs").says("it takes root");
}

#[test]
fn a_limit_on_processes_is_told() {
    let user = Sandbox::user();
    let target = Target::start(&user, "unshare-rs -rpm --mount-proc");
    let line = "--nproc=1 nsenter-rs -t T -a true";
    let outcome = target.with(&user, "prlimit", line).done();
    outcome.is(125).complains_as("nsenter-rs").says("a limit on processes was reached");
}

#[test]
fn a_proc_that_shows_nothing_is_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -n");
    let rows = [
        ("umount -l /proc", "mount"),
        ("mount -t proc -o hidepid=2 proc /proc", "hidepid"),
        ("mount -t tmpfs none /proc", "a proc file system must be mounted there"),
    ];
    each(rows, |(setup, cure)| {
        let as_user = "exec setpriv --reuid 64323 --regid 64323 --clear-groups nsenter-rs";
        let script = format!("{setup}; {as_user} -t {} -n true", target.pid);
        let outcome = sandbox.run("unshare-rs -m sh -euc").arg(script).done();
        outcome.is(125).complains_as("nsenter-rs").says(cure);
    });
    let outcome =
        sandbox.run("unshare-rs -m sh -euc").arg("umount -l /proc; exec nsenter-rs -r/ true").done();
    outcome.is(125).complains_as("nsenter-rs").says("a proc file system must be mounted there");
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let sandbox = Sandbox::own();
    each(
        ["-n/no\u{1b}[2J", "-r/no\u{1b}[2J", "--box=\u{1b}[2J", "--group=\u{1b}[2J", "-n:\u{1b}[2J"],
        |option| {
            let outcome = sandbox.run("nsenter-rs").arg(option).args(["-a", "-t1", "true"]).done().is(125);
            assert!(!outcome.talk().contains('\u{1b}'), "{outcome}");
        },
    );
}
