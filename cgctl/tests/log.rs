//! `new --log` and `--then`: what the command writes is kept, and what is done when it has ended.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use tests::pty::{INTERRUPT, SUSPEND};
use tests::{Pty, Sandbox, each, eventually};

const THEN: [&str; 6] = ["--then", "sh", "--then", "-c", "--then", "env >ended"];

/// What the program of `--then` was told by `name`.
fn told(sandbox: &Sandbox, name: &str) -> Option<String> {
    let text = fs::read_to_string(sandbox.path("ended")).ok()?;
    let sign = format!("{name}=");
    text.lines().find_map(|line| line.strip_prefix(&sign)).map(str::to_owned)
}

#[test]
fn what_is_written_goes_on_and_into_the_file() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("log", "before\n", 0o644);
    let run = sandbox.run("cgctl new --log log m=64M -- sh -c").arg("echo out; echo err >&2; exit 3");
    let done = run.done().is(3);
    assert_eq!((done.text(), done.talk()), ("out".to_owned(), "err\n".to_owned()));
    let log = fs::read_to_string(sandbox.path("log")).unwrap();
    assert!(log.starts_with("before\n") && log.contains("out\n") && log.contains("err\n"), "{log}");
    let done = sandbox.run("cgctl new --log much -- seq 300000").done().is(0).quiet();
    assert!(done.text().ends_with("\n300000"));
    assert_eq!(fs::read(sandbox.path("much")).unwrap(), done.out);
}

#[test]
fn what_is_left_behind_is_heard_until_it_is_ended() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "(trap '' TERM; echo still here; exec sleep 60) & sleep 0.2; echo done";
    let done = sandbox.run("cgctl new --log log -- sh -c").arg(script).done().is(0).quiet();
    assert_eq!(done.text(), "still here\ndone");
}

#[test]
fn without_a_reader_the_command_is_told_as_usual() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "{ s=0; cgctl new --log log -- yes || s=$?; echo $s >status; } | head -n 1; cat status";
    assert_eq!(sandbox.shell(script).done().is(0).quiet().text(), "y\n141");
    let script = "cgctl new --log log -- sh -c 'echo lost; echo heard >&2; exit 4' >&-";
    sandbox.shell(script).done().is(4).says("heard");
}

#[test]
fn a_full_disk_does_not_end_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    let done = sandbox.run("cgctl new --log /dev/full -- echo hello").done().is(0);
    assert_eq!(done.text(), "hello");
    assert_eq!(done.talk(), "cgctl: cannot write /dev/full: No space left on device\n");
    sandbox.run("cgctl new --log no/such -- true").done().is(125).complains_as("cgctl");
}

#[test]
fn signals_and_keys_work_as_without() {
    let Some(sandbox) = Sandbox::root() else { return };
    let job = sandbox.run("cgctl new --log log -- probe hold").start();
    job.until("ready");
    job.signal(SIGTERM);
    job.done().is(143);
    let mut terminal = Pty::start(&sandbox.run("dash -i").env("PS1", "<$?> "));
    terminal.until("<0> ");
    terminal.line("cgctl new --log log -- probe hold");
    terminal.until("ready");
    terminal.keys(SUSPEND);
    terminal.until("> ");
    terminal.line("fg");
    eventually("it goes on", || tests::leak::state(sandbox.inner("probe")) == Some('S'));
    terminal.keys(INTERRUPT);
    terminal.until("<130> ");
    terminal.line("exit 0");
    terminal.done();
}

#[test]
fn a_program_is_told_what_has_become_of_the_command() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows = [
        ("m=64M -- sh -c", "exit 3", 3, "0", ""),
        ("m=16M -- sh -c", "exec probe memhog 100000000", 137, "1", ""),
        ("m=64M -- sh -c", "kill -TERM $$", 143, "0", ""),
        ("m=64M --", "no-such-program", 127, "0", ""),
        ("m=foo --", "true", 125, "", "cannot set m=foo: foo is not a number"),
    ];
    each(rows, |(words, command, status, kills, error)| {
        let run = sandbox.run("cgctl new").args(THEN).arg(sandbox.name());
        run.args(words.split(' ')).arg(command).done().is(status);
        assert_eq!(told(&sandbox, "CGCTL_STATUS"), Some(status.to_string()));
        let ended: u64 = told(&sandbox, "CGCTL_ENDED").unwrap().parse().unwrap();
        assert!(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - ended < 60);
        assert_eq!(told(&sandbox, "CGCTL_OOM_KILLS").as_deref(), Some(kills));
        assert_eq!(told(&sandbox, "CGCTL_ERROR").as_deref(), Some(error));
        let name = if error.is_empty() { sandbox.name() } else { "" };
        assert_eq!(told(&sandbox, "CGCTL_NAME").as_deref(), Some(name));
        fs::remove_file(sandbox.path("ended")).unwrap();
    });
}

#[test]
fn by_then_all_is_over_and_nothing_changes_the_status() {
    let Some(sandbox) = Sandbox::root() else { return };
    let look = format!("cat status; cgctl ls {} 2>&1 || :; exit 9", sandbox.name());
    let run = sandbox.run("cgctl new --status-file status --then sh --then -c --then").arg(look);
    let done = run.arg(sandbox.name()).args(["m=64M", "--", "sh", "-c", "exit 5"]).done().is(5).quiet();
    assert!(done.text().contains("\"state\":\"ended\"") && done.text().contains("cannot find"), "{done}");
    sandbox.run("cgctl new --then nosuch -- true").done().is(0).complains_as("cgctl");
    let job = sandbox.run("cgctl new").args(THEN).args(["--", "probe", "hold"]).start();
    job.until("ready");
    job.signal(SIGKILL);
    job.done().is(-9);
    assert!(!sandbox.path("ended").exists());
    sandbox.run("cgctl gc").done().is(0);
}

#[test]
fn without_a_group_the_rest_is_done() {
    for sandbox in Sandbox::root().into_iter().chain([Sandbox::user()]) {
        let run = sandbox.run("cgctl new --no-group --log log --status-file status").args(THEN).arg("web");
        let done = run.args(["--", "sh", "-c", "cat /proc/self/cgroup; exit 3"]).done().is(3);
        assert_eq!(done.text() + "\n", fs::read_to_string("/proc/self/cgroup").unwrap());
        assert_eq!(fs::read(sandbox.path("log")).unwrap(), done.out);
        assert_eq!(told(&sandbox, "CGCTL_NAME").as_deref(), Some("web"));
        assert_eq!(told(&sandbox, "CGCTL_STATUS").as_deref(), Some("3"));
        assert_eq!(told(&sandbox, "CGCTL_OOM_KILLS").as_deref(), Some(""));
        let status: serde_json::Value =
            serde_json::from_slice(&fs::read(sandbox.path("status")).unwrap()).unwrap();
        assert_eq!((&status["state"], &status["group"]), (&"ended".into(), &serde_json::Value::Null));
        let refused = sandbox.run("cgctl new --no-group m=64M -- true").done().is(125);
        refused.complains_as("cgctl").says("set m=64M").says("--no-group");
        sandbox.run("cgctl new --no-group web").done().is(125).complains_as("cgctl");
    }
}
