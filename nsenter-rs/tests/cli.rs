//! Usage, help, messages and exit statuses, for whoever runs it: nothing here needs rights or another namespace.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Output};

fn nsenter(line: &str) -> Output {
    let line = line.replace("SELF", &std::process::id().to_string());
    run(line.split_whitespace().map(OsStr::new))
}

fn run<'a>(args: impl IntoIterator<Item = &'a OsStr>) -> Output {
    let limited = ["-k", "1", "20", env!("CARGO_BIN_EXE_nsenter-rs")];
    Command::new("timeout").args(limited).args(args).output().unwrap()
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn misuse_is_told_with_status_125() {
    for (line, reason) in [
        ("", "cannot start: no namespace is chosen"),
        ("true", "cannot start: no namespace is chosen"),
        ("-t SELF true", "cannot start: no namespace is chosen"),
        ("-a true", "cannot enter all namespaces: no process is given"),
        ("-mn true", "cannot enter the mount and net namespaces: no process is given"),
        ("--cgroup /sys/fs/cgroup/x true", "by its control group with --group PATH"),
        ("-r true", "cannot take over the root directory: no process is given"),
        ("-w true", "cannot take over the working directory: no process is given"),
        ("-t x -a true", "cannot use x for --target <PID[:INODE]>: a process id is a number from 1 on"),
        ("-t 0 -a true", "a process id is a number from 1 on"),
        ("-t 2147483647 -a true", "cannot find process 2147483647: there is none of this number"),
        ("-q true", "cannot use -q: no such option"),
        ("--alx true", "did you mean --all?"),
        ("-n/no/such true", "cannot enter the net namespace of /no/such: No such file or directory"),
        ("-n/etc/passwd true", "cannot enter the net namespace of /etc/passwd: it is no namespace"),
        ("-w/no/such true", "cannot go to /no/such: No such file or directory"),
        ("-r/etc/passwd true", "cannot go to /etc/passwd: Not a directory"),
    ] {
        let output = nsenter(line);
        let talk = talk(&output);
        assert_eq!(output.status.code(), Some(125), "{line}: {talk}");
        assert!(talk.contains(reason), "{line}: {talk}");
        assert!(talk.lines().all(|line| line.starts_with("nsenter-rs: ")), "{line}: {talk}");
        assert!(talk.lines().count() == 2 || !talk.contains("hint"), "{line}: {talk}");
        assert!(output.stdout.is_empty(), "{line}");
    }
}

#[test]
fn a_fifo_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let fifo = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let output = nsenter(&format!("-n{} true", fifo.display()));
    assert_eq!(output.status.code(), Some(125));
    assert!(talk(&output).contains("it is no namespace"));
}

#[test]
fn a_thread_is_no_process() {
    let own = std::process::id().to_string();
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap().file_name());
    let thread =
        tasks.filter(|task| *task != *own).max().expect("tests run in threads").into_string().unwrap();
    let output = nsenter(&format!("-t {thread} -a true"));
    assert_eq!(output.status.code(), Some(125));
    assert_eq!(
        talk(&output),
        format!(
            "nsenter-rs: cannot find process {thread}: it is a thread\nnsenter-rs: hint: its process is {own}\n"
        )
    );
}

#[test]
fn help_and_version_are_data() {
    let help = nsenter("--help");
    assert!(help.status.success() && help.stderr.is_empty());
    let text = String::from_utf8(help.stdout).unwrap();
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    for option in ["--target", "--mount[=<FILE>]", "--wd[=<DIR>]", "--preserve-credentials", "-F, --no-fork"]
    {
        assert!(text.contains(option), "{option} in {text}");
    }
    let version = nsenter("-V");
    assert_eq!(version.stdout, format!("nsenter-rs {}\n", env!("CARGO_PKG_VERSION")).into_bytes());
}

#[test]
fn the_status_is_the_commands_or_tells_why_there_is_none() {
    for (command, status) in [
        ("true", 0),
        ("sh -c exit_7", 7),
        ("/etc/passwd", 126),
        ("/", 126),
        ("no-such-program", 127),
        ("/no/such/program", 127),
    ] {
        let words: Vec<String> = format!("-t {} -a {command}", std::process::id())
            .split_whitespace()
            .map(|word| word.replace('_', " "))
            .collect();
        let output = run(words.iter().map(OsStr::new));
        assert_eq!(output.status.code(), Some(status), "{command}: {}", talk(&output));
    }
}

#[test]
fn the_command_gets_its_arguments_as_they_are() {
    let odd = OsStr::from_bytes(b"-m/\xff x");
    let own = std::process::id().to_string();
    let output =
        run(["-t", &own, "-a", "printf", "%s|", "--", "-a"].map(OsStr::new).into_iter().chain([odd]));
    assert_eq!(output.stdout, b"--|-a|-m/\xff x|", "{}", talk(&output));
    let output = nsenter("-t SELF -a -- printf %s -n");
    assert_eq!(output.stdout, b"-n");
}

#[test]
fn without_another_root_the_working_directory_and_the_shell_stay() {
    let output = Command::new(env!("CARGO_BIN_EXE_nsenter-rs"))
        .args(["-t", &std::process::id().to_string(), "-a"])
        .env("SHELL", "/bin/pwd")
        .current_dir("/usr")
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"/usr\n", "{}", talk(&output));
}
