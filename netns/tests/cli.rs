//! Usage, help, messages and exit statuses, for whoever runs it: nothing here needs rights.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::process::{Command, Output};

fn netns(line: &str) -> Output {
    let limited = ["-k", "1", "60", env!("CARGO_BIN_EXE_netns")];
    Command::new("timeout").args(limited).args(line.split_whitespace()).output().unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn misuse_is_told_with_status_125() {
    let bad_name = "a name is made of letters, digits, _ . and -, and begins with a letter or a digit";
    for (line, reason) in [
        ("", "cannot start: no verb given"),
        ("frob", "cannot do frob: no such verb"),
        ("exce x", "did you mean exec?"),
        ("add", "cannot start: <NAME>... is missing"),
        ("add ../x", bad_name),
        ("add .", bad_name),
        ("add -x", "cannot use -x: no such option"),
        ("del", "cannot start: <NAME>... is missing"),
        ("del a ../x", bad_name),
        ("exec a/b true", bad_name),
        ("exec x", "is missing"),
        ("exec --all", "cannot start: no command is given"),
        ("new --internal -- true", "--net"),
        ("net rm --open-firewall x", "cannot use --open-firewall: no such option"),
        ("ls --jsn", "did you mean --json?"),
        ("map --dot --json", "--dot"),
        ("doctor a b", "cannot use b: it is one word too many"),
        ("add ../x", "hint: `netns add --help` tells what it takes"),
        ("net add ../x", "hint: `netns net add --help` tells what it takes"),
        ("set a -1", "hint: `netns set --help` tells what it takes"),
        ("wait . 0", "it is no number from 1 to 65535"),
        ("wait . 65536", "it is no number from 1 to 65535"),
        ("wait . http", "it is no number"),
        ("identify 4294967296", "it is no number from 1 to 4294967295"),
        ("pcap -w x -c 18446744073709551616 .", "the number is too large"),
        ("new --net a --ip x", "it is no address of IPv4 or IPv6"),
        ("wait --timeout=-1 . 80", "it is no length of time"),
        ("wait --timeout x . 80", "it is no number of seconds"),
        ("pcap .", "--write"),
        ("pcap -w x -c 0 .", "0"),
        ("pcap -w x -s 19 .", "19"),
        ("pcap -w x -i a/b .", "the name of an interface has no white space"),
        ("new", "cannot start: no command is given"),
        ("new --", "cannot start: no command is given"),
        ("new true", "cannot take true: the command goes after --"),
        ("exec no-such-name true", "cannot find no-such-name: no such network namespace"),
        ("del no-such-name", "cannot find no-such-name: no such network namespace"),
    ] {
        let output = netns(line);
        let talk = talk(&output);
        assert_eq!(output.status.code(), Some(125), "{line}: {talk}");
        assert!(talk.contains(reason), "{line}: {talk}");
        assert_eq!(talk.lines().count(), 2, "{line}: {talk}");
        assert!(talk.lines().all(|line| line.starts_with("netns: ")), "{line}: {talk}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

#[test]
fn all_that_could_not_be_removed_is_told() {
    let output = netns("del no-such-a no-such-b");
    assert_eq!(output.status.code(), Some(125));
    assert!(talk(&output).contains("no-such-a") && talk(&output).contains("no-such-b"), "{}", talk(&output));
}

#[test]
fn help_and_version_are_data() {
    for (line, words) in [
        ("--help", &["add", "del", "ls", "exec", "new"][..]),
        ("ls --help", &["--json"]),
        ("map --help", &["--json", "--dot"]),
        ("doctor --help", &["--json"]),
        ("whoami --help", &["--json"]),
        ("wait --help", &["--timeout <SECONDS>", "--udp"]),
        ("pcap --help", &["-w, --write <FILE>", "-c, --count", "-i, --interface", "-s, --snap"]),
        ("exec --help", &["netns exec NAME COMMAND [ARG]..."]),
        ("new --help", &["netns new -- COMMAND [ARG]..."]),
    ] {
        let help = netns(line);
        assert!(help.status.success() && help.stderr.is_empty(), "{line}");
        let text = String::from_utf8(help.stdout).unwrap();
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{line}: {text}");
    }
    assert_eq!(netns("-V").stdout, format!("netns {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}

#[test]
fn a_list_that_nobody_can_take_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_netns")).arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(talk(&output).contains("No space left on device"), "{}", talk(&output));
}
