//! `--env`, `--env-file`, `--unset-env` and `--clear-env`, in the order of the line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use tests::{Sandbox, each};

#[test]
fn variables_are_set_in_the_order_of_the_line() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("one", "# comment\n\n  A=file # no comment\nB= \"x y\" \nC\nNOT_SET\n", 0o644);
    let rows = [
        ("--env A=1", "A", Some("1")),
        ("--env A=1 --env A=2", "A", Some("2")),
        ("--env A=1 --env-file one", "A", Some("file # no comment")),
        ("--env-file one --env A=1", "A", Some("1")),
        ("--env-file one", "B", Some(" \\\"x y\\\" ")),
        ("--env-file one", "C", Some("caller")),
        ("--env-file one --clear-env", "C", Some("caller")),
        ("--env-file one", "NOT_SET", None),
        ("--clear-env", "C", None),
        ("--clear-env --env C", "C", Some("caller")),
        ("--env C --clear-env", "C", Some("caller")),
        ("--clear-env --clear-env=no", "C", Some("caller")),
        ("--unset-env C", "C", None),
        ("--unset-env C --env C=1", "C", Some("1")),
        ("--env C=1 --unset-env C", "C", None),
        ("--env A=", "A", Some("")),
        ("--env A=b=c", "A", Some("b=c")),
        ("--env-file /dev/null", "C", Some("caller")),
        ("--unset-env PATH", "PATH", None),
    ];
    each(rows, |(options, name, expected)| {
        let line = format!("pivot {options} rootfs /bin/probe report");
        let report = sandbox.run(&line).env("C", "caller").done().is(0).quiet().json();
        assert_eq!(report["environment"][name].as_str(), expected, "{options}");
    });
}

#[test]
fn a_file_that_makes_no_sense_is_told_by_its_line() {
    let sandbox = Sandbox::own();
    let rows: [(&[u8], &str); 5] = [
        (b"A=1\n=2\n", "cannot use line 2 of file: the name is empty"),
        (b"export A=1\n", "cannot use line 1 of file: the name has white space in it"),
        (b"A=1\n\n\nB C\n", "cannot use line 4 of file: the name has white space in it"),
        (b"A=1\nB=\0\n", "cannot use line 2 of file: it has a zero byte in it"),
        (b"\x1b[2J \n", "cannot use line 1 of file: the name has white space in it"),
    ];
    for (text, expected) in rows {
        sandbox.file("file", text, 0o644);
        sandbox.run("pivot --env-file file rootfs true").done().is(125).complains_as("pivot").says(expected);
    }
    let missing = sandbox.run("pivot --env-file missing rootfs true").done().is(125).complains_as("pivot");
    missing.says("cannot read variables from missing: No such file or directory");
    sandbox.run("pivot --env-file . rootfs true").done().is(125).complains_as("pivot");
}

#[test]
fn values_may_have_any_byte() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("file", b"F=\xff'\"\t\n", 0o644);
    let value = OsStr::from_bytes(b"E=\xfe\n=");
    let run =
        sandbox.run("pivot --clear-env --env-file file --env").arg(value).args(["rootfs", "probe", "report"]);
    let report = run.done().is(0).quiet().json();
    assert_eq!(report["environment"]["F"], "\\xff\\'\\\"\\t");
    assert_eq!(report["environment"]["E"], "\\xfe\\n=");
}

#[test]
fn the_terminal_is_told_where_there_is_one() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("pivot --confine --bare rootfs sh -c").arg("echo term=$TERM.").env("TERM", "vt52");
    assert_eq!(run.done().is(0).text(), "term=.");
    let script = "echo term=$TERM.";
    for (term, expected) in [(Some("vt52"), "term=vt52."), (None, "term=xterm.")] {
        let run = sandbox.run("pivot --confine rootfs sh -c").arg(script);
        let run = if let Some(term) = term { run.env("TERM", term) } else { run };
        let mut terminal = tests::Pty::start(&run);
        terminal.until(expected);
        assert_eq!(terminal.done(), 0);
    }
}
