//! `--pty`: a terminal of the command's own between the inside and the caller's terminal.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use nix::sys::signal::Signal;
use std::process::Command;
use tests::leak::state;
use tests::pty::{INTERRUPT, SUSPEND};
use tests::{Pty, Sandbox, eventually};

/// A process in a host name namespace of its own, whose root is the host's.
const TARGET: &str = "unshare -u sleep 1000 & target=$!
    until [ $(readlink /proc/$target/ns/uts) != $(readlink /proc/$$/ns/uts) ]; do :; done
    trap 'kill $target' EXIT\n";

/// A shell on a terminal which runs `script`, where `inside` enters the target.
fn on_a_terminal(sandbox: &Sandbox, script: &str) -> Pty {
    let inside = "inside() { nsenter-rs -t $target -u --pty \"$@\"; }\n";
    Pty::start(&sandbox.run("sh -c").arg(format!("{TARGET}{inside}{script}")))
}

#[test]
fn what_is_typed_from_inside_stays_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    if Command::new("perl").arg("-e1").status().is_err() || !may_push() {
        return tests::skip("it takes perl, and dev.tty.legacy_tiocsti=1");
    }
    // 0x5412 is TIOCSTI.
    let attack =
        r#"-u PTY perl -e 'for (split //, "owned\n") { ioctl(STDIN, 0x5412, $_) or print "refused\n" }'"#;
    for (option, got) in [("", "owned"), ("--pty", "typed")] {
        let attack = attack.replace("PTY", option);
        let script =
            format!("{TARGET}nsenter-rs -t $target {attack}; echo ready; read line; echo got:$line.");
        let mut terminal = Pty::start(&sandbox.run("sh -c").arg(script));
        terminal.until("ready");
        terminal.line("typed");
        terminal.until(&format!("got:{got}."));
        assert_eq!(terminal.done(), 0);
    }
}

fn may_push() -> bool {
    std::fs::read_to_string("/proc/sys/dev/tty/legacy_tiocsti").is_ok_and(|value| value.trim() == "1")
}

#[test]
fn it_is_another_terminal_and_leads_a_session() {
    let Some(sandbox) = Sandbox::root() else { return };
    let facts = r#"for n in 0 1 2; do readlink /proc/$$/fd/$n; done; cut -d" " -f5-8 /proc/$$/stat"#;
    let script = format!("readlink /proc/$$/fd/0; inside sh -c '{facts}; : >/dev/tty; echo end'");
    let mut terminal = on_a_terminal(&sandbox, &script);
    let shown = terminal.until("end").replace('\r', "");
    let lines: Vec<&str> = shown.lines().collect();
    assert_ne!(lines[0], lines[1]);
    assert!(lines[1].starts_with("/dev/pts/") && lines[1] == lines[2] && lines[1] == lines[3], "{shown:?}");
    let facts: Vec<&str> = lines[4].split(' ').collect();
    assert!(
        facts[0] == facts[1] && facts[0] == facts[3] && facts[2] != "0",
        "group, session, tty: {shown:?}"
    );
    assert_eq!(terminal.done(), 0);
}

#[test]
fn keys_are_signals_inside_only() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "inside sh -c 'trap \"echo taken; exit 3\" INT; echo ready; while :; do :; done'
        echo status $?";
    let mut terminal = on_a_terminal(&sandbox, script);
    terminal.until("ready");
    terminal.keys(INTERRUPT);
    terminal.until("taken");
    terminal.until("status 3");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn job_control_is_that_of_the_shell_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut terminal = on_a_terminal(&sandbox, "inside sh -i; echo status $?");
    terminal.line("sh -c 'echo runs; exec sleep 1000'");
    terminal.until("runs");
    terminal.keys(SUSPEND);
    terminal.until("Stopped");
    terminal.line("kill -KILL %1; wait; exit");
    terminal.line("exit 4");
    terminal.until("status 4");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn the_size_follows_the_terminal() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "stty rows 11 cols 22; tty
        inside sh -c 'trap \"stty size; exit 5\" WINCH; stty size; while :; do :; done'; echo status $?";
    let mut terminal = on_a_terminal(&sandbox, script);
    let tty = terminal.until("11 22").trim().to_owned();
    sandbox.run("stty rows 33 -F").arg(tty).done().is(0);
    terminal.until("33 22");
    terminal.until("status 5");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn the_callers_terminal_is_as_before_whatever_ends_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    tests::each(
        [
            ("exit 7", 7),
            ("kill -SEGV $$", 139),
            ("kill -KILL $$", 137),
            ("kill -TERM $PPID; sleep 1000", 143),
            ("stty raw -echo; exit 0", 0),
            ("exec /no/such/program", 127),
        ],
        |(command, status)| {
            let script = format!(
                "before=$(stty -g); inside sh -c '{command}' 2>/dev/null; echo status $?.
                [ \"$(stty -g)\" = \"$before\" ] && echo same"
            );
            let mut terminal = on_a_terminal(&sandbox, &script);
            terminal.until(&format!("status {status}."));
            terminal.until("same");
            assert_eq!(terminal.done(), 0);
        },
    );
}

#[test]
fn a_job_in_the_background_waits_for_the_terminal() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut terminal = on_a_terminal(
        &sandbox,
        "set -m; echo ready; inside sh -c 'read line; echo got:$line' &
        read line; echo outside:$line; fg >/dev/null; echo status $?",
    );
    terminal.until("ready");
    eventually("it stops", || {
        let all = sandbox.marker().processes();
        all.iter()
            .any(|pid| tests::leak::name(*pid).as_deref() == Some("nsenter-rs") && state(*pid) == Some('T'))
    });
    terminal.line("first");
    terminal.until("outside:first");
    terminal.line("second");
    terminal.until("got:second");
    terminal.until("status 0");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn it_works_without_a_terminal_outside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = |command: &str, input: &[u8]| {
        let script = format!("{TARGET}nsenter-rs -t $target -u --pty {command}");
        sandbox.shell(&script).stdin(input).done()
    };
    assert_eq!(run("cat", b"one\ntwo").is(0).out, b"one\ntwo");
    assert_eq!(run("sh -c 'cat; cat; test -t 0 && test -t 1; exit 9'", b"").is(9).text(), "");
    assert_eq!(run("sh -c 'read a; read b; echo $a.$b; exit 6'", b"one\ntwo").is(6).text(), "one.two");
    // What the shell reads raw after it has been typed ahead ends too, even where an end came too early.
    let output = run("env TERM=dumb bash --norc -i", b"echo o''ne\n").is(0);
    assert!(output.text().contains("one"), "{output}");
    // More than fits anywhere on the way, to its last byte.
    let output = run("sh -c 'i=0; while [ $i -lt 30000 ]; do echo $i; i=$((i+1)); done'", b"").is(0);
    assert_eq!(output.text().lines().last(), Some("29999"));
    assert_eq!(output.text().lines().count(), 30000);
    run("sh -c 'kill -TERM $$'", b"").is(143);
    run("/no/such/program", b"").is(127);
}

#[test]
fn a_reader_that_leaves_hangs_the_terminal_up() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!("{TARGET}{{ nsenter-rs -t $target -u --pty yes || echo $? >status; }} | head -n1");
    assert_eq!(sandbox.shell(&script).done().is(0).text(), "y");
    assert_eq!(std::fs::read_to_string(sandbox.path("status")).unwrap(), "129\n");
}

#[test]
fn a_signal_to_the_link_reaches_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    let inside =
        "trap 'echo int' INT; trap 'echo usr; exit 2' USR1; echo ready; while :; do sleep 0.01; done";
    let script = format!("{TARGET}nsenter-rs -t $target -u --pty sh -c \"$1\"");
    let job = sandbox.shell(&script).arg("sh").arg(inside).start();
    job.until("ready");
    let all = sandbox.marker().processes();
    let link = all.iter().find(|pid| {
        tests::leak::children(**pid).iter().any(|child| tests::leak::name(*child).as_deref() == Some("sh"))
            && tests::leak::name(**pid).as_deref() == Some("nsenter-rs")
    });
    let link = *link.unwrap();
    nix::sys::signal::kill(link, Signal::SIGINT).unwrap();
    job.until("int");
    nix::sys::signal::kill(link, Signal::SIGUSR1).unwrap();
    job.done().is(2);
}

#[test]
fn a_job_that_runs_in_the_background_gets_the_terminal_later() {
    let Some(sandbox) = Sandbox::root() else { return };
    // Unlike others, bash continues no job that runs already.
    let script =
        "exec bash --norc -ic 'nsenter-rs -t $0 -u --pty sh -c \"echo runs; read line; echo got:\\$line\" &
        until [[ $(jobs) == *Stopped* ]]; do :; done
        bg >/dev/null; read line; echo outside:$line; fg >/dev/null; echo status $?; kill $0' $target";
    let mut terminal = on_a_terminal(&sandbox, script);
    terminal.until("runs");
    terminal.line("first");
    terminal.until("outside:first");
    terminal.line("second");
    terminal.until("got:second");
    terminal.until("status 0");
    assert_eq!(terminal.done(), 0);
}

#[test]
fn closing_the_callers_terminal_ends_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    let mut terminal = on_a_terminal(&sandbox, "trap exit HUP; inside sh -c 'echo ready; exec sleep 1000'");
    terminal.until("ready");
    terminal.hang_up();
    terminal.done();
}
