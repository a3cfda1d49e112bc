//! What a user meets first: options, statuses, messages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

fn unshare(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unshare-rs")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn misuse_is_125_and_told_on_one_line_with_a_hint() {
    let table: &[(&[&str], &str)] = &[
        (&["--bogus"], "cannot use --bogus: no such option"),
        (&["-Z"], "cannot use -Z: no such option"),
        (&["--map-users", "1:2", "true"], "INNER:OUTER:COUNT"),
        (&["--map-users", "0:0:0", "true"], "COUNT is 0"),
        (&["--propagation", "both", "true"], "private, shared, slave, unchanged"),
        (&["--hostname"], "its value is missing"),
        (&["--fork", "--no-fork", "true"], "does not go with"),
    ];
    for (args, expected) in table {
        let output = unshare(args);
        assert_eq!(status(&output), 125, "{args:?}");
        let text = stderr(&output);
        assert!(text.contains(expected), "{args:?}: {text}");
        assert!(text.lines().all(|line| line.starts_with("unshare-rs: ")), "{args:?}: {text}");
        assert!(text.lines().count() <= 2, "{args:?}: {text}");
    }
}

#[test]
fn without_a_namespace_it_is_just_the_command() {
    let output = unshare(&["sh", "-c", "echo \"$@\"; exit 7", "name", "-p", "--bogus", "a  b"]);
    assert_eq!((status(&output), stdout(&output).as_str()), (7, "-p --bogus a  b\n"));
}

#[test]
fn a_forked_command_keeps_its_status_too() {
    assert_eq!(status(&unshare(&["-f", "sh", "-c", "exit 7"])), 7);
    assert_eq!(status(&unshare(&["-f", "sh", "-c", "kill -USR1 $$"])), 128 + 10);
    assert_eq!(status(&unshare(&["-f", "no-such-program"])), 127);
    assert_eq!(status(&unshare(&["-f", "/etc/passwd"])), 126);
}

#[test]
fn a_name_cannot_write_to_the_terminal() {
    let text = stderr(&unshare(&["/no/\u{1b}[2J\nsuch"]));
    assert_eq!(text, "unshare-rs: cannot run '/no/\\x1b[2J\\x0asuch': no such file\n");
}

#[test]
fn the_shell_runs_when_no_command_is_given() {
    let shell = |value| Command::new(env!("CARGO_BIN_EXE_unshare-rs")).env("SHELL", value).output().unwrap();
    assert!(shell("/bin/true").status.success());
    assert_eq!(status(&shell("/bin/false")), 1);
    assert_eq!(status(&shell("/no/shell")), 127);
}

#[test]
fn help_goes_to_stdout_and_a_full_disk_is_told() {
    let output = unshare(&["--help"]);
    assert_eq!((status(&output), stderr(&output).as_str()), (0, ""));
    assert!(stdout(&output).contains("--map-root-user"));

    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_unshare-rs"));
    let output = command.arg("--help").stdout(full).output().unwrap();
    assert_eq!(status(&output), 125);
    assert_eq!(stderr(&output), "unshare-rs: cannot write the help text: No space left on device\n");
}
