//! Entering for real: as root, as an unprivileged user, and from one into what belongs to the other.
//!
//! The processes to enter are made by util-linux's unshare(1), so that the two agree on what a namespace is.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail by panicking")]

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, geteuid};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const USER: u32 = 65534;
const FILES: [&str; 8] = ["user", "mnt", "uts", "ipc", "net", "pid", "cgroup", "time"];
const LINKS: &str = "for n in user mnt uts ipc net pid cgroup time; do readlink /proc/self/ns/$n; done";

/// Whether the test can run; a skip says why, and is a failure with CHAIN_TESTS_MUST_RUN=1.
fn is_root() -> bool {
    let must = std::env::var_os("CHAIN_TESTS_MUST_RUN").is_some_and(|value| value == "1");
    assert!(geteuid().is_root() || !must, "this test must run, but not as this user: it needs root");
    if !geteuid().is_root() {
        eprintln!("skipped: it needs root");
    }
    geteuid().is_root()
}

/// The program, where any user can reach it.
struct Tool(tempfile::TempDir);

impl Tool {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        tests::program::copy(env!("CARGO_BIN_EXE_nsenter-rs"), dir.path().join("nsenter-rs"));
        Tool(dir)
    }

    /// nsenter-rs with the words of `line` and then `script` for a shell, under a time limit.
    fn command(&self, user: u32, line: &str, script: &str) -> Command {
        let mut command = as_user(user, "timeout");
        command.args(["-k", "1", "60"]).arg(self.0.path().join("nsenter-rs")).args(line.split_whitespace());
        if !script.is_empty() {
            command.args(["/bin/sh", "-c", script]);
        }
        command.current_dir("/usr");
        command
    }

    fn run(&self, user: u32, line: &str, script: &str) -> Output {
        self.command(user, line, script).output().unwrap()
    }

    #[track_caller]
    fn out(&self, user: u32, line: &str, script: &str) -> String {
        let output = self.run(user, line, script);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{line}: {:?} {}",
            output.status,
            talk(&output)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    #[track_caller]
    fn refused(&self, user: u32, line: &str, reason: &str, hint: &str) {
        let output = self.run(user, line, "echo inside");
        assert_eq!(output.status.code(), Some(125), "{line}: {}", talk(&output));
        assert!(output.stdout.is_empty(), "{line}");
        assert!(talk(&output).contains(reason) && talk(&output).contains(hint), "{line}: {}", talk(&output));
    }
}

fn talk(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn as_user(user: u32, program: &str) -> Command {
    if user == 0 {
        return Command::new(program);
    }
    let id = user.to_string();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &id, "--regid", &id, "--clear-groups", program]);
    command
}

/// A sleeping process in namespaces of its own; gone, with all it has started, when dropped.
struct Target {
    unshare: Child,
    pid: String,
}

impl Target {
    fn new(user: u32, options: &str) -> Self {
        Self::doing(user, options, "cd /tmp")
    }

    fn doing(user: u32, options: &str, script: &str) -> Self {
        let script = format!("{script}; echo ready; exec sleep 60");
        let mut command = as_user(user, "unshare");
        command.args(options.split_whitespace()).args(["-f", "--kill-child", "/bin/sh", "-c", &script]);
        let mut unshare = command.stdout(Stdio::piped()).spawn().unwrap();
        await_ready(&mut unshare);
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", unshare.id())).unwrap();
        Target { unshare, pid: children.trim().to_owned() }
    }

    fn links(&self) -> Vec<String> {
        links(&self.pid)
    }

    /// A line of options with TARGET replaced.
    fn line(&self, line: &str) -> String {
        line.replace("TARGET", &self.pid)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.unshare.kill();
        let _ = self.unshare.wait();
    }
}

#[track_caller]
fn await_ready(child: &mut Child) {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
}

fn links(process: &str) -> Vec<String> {
    let link = |file: &&str| fs::read_link(format!("/proc/{process}/ns/{file}")).unwrap();
    FILES.iter().map(link).map(|link| link.into_os_string().into_string().unwrap()).collect()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_kind_is_joined_and_no_other() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-muinpCT"));
    for (index, letter) in ["m", "u", "i", "n", "p", "C", "T", "Fp"].into_iter().enumerate() {
        let mut expected = links("self");
        let kind = if letter == "Fp" { 5 } else { index + 1 };
        expected[kind].clone_from(&target.links()[kind]);
        assert_ne!(expected[kind], links("self")[kind]);
        let output = tool.run(0, &target.line(&format!("-t TARGET -{letter}")), LINKS);
        assert_eq!(lines(&String::from_utf8_lossy(&output.stdout)), expected, "-{letter}");
        // It knows that -p alone is not enough for ps.
        assert_eq!(
            talk(&output).contains("ps shows; -m adds"),
            letter == "p",
            "-{letter}: {}",
            talk(&output)
        );
    }
    assert_eq!(lines(&tool.out(0, &target.line("-at TARGET"), LINKS)), target.links());
}

#[test]
fn a_user_enters_the_own_container() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(USER, "-UrmuinpCT"));
    for line in ["-t TARGET -a", "-t TARGET -UmuinpCT", "-at TARGET --preserve-credentials"] {
        let got = tool.out(USER, &target.line(line), &format!("{LINKS}; id -u; id -g"));
        assert_eq!(lines(&got), [target.links(), lines("0\n0")].concat(), "{line}");
    }
}

#[test]
fn what_a_container_shares_with_its_user_is_left_out() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(USER, "-Urm"));
    assert_eq!(lines(&tool.out(USER, &target.line("-t TARGET -a"), LINKS)), target.links());
    let refused = as_user(USER, "nsenter").args(["-t", &target.pid, "-a", "true"]).output().unwrap();
    assert!(!refused.status.success(), "util-linux's can do it too now: {}", talk(&refused));
}

#[test]
fn root_enters_a_users_container_as_its_root_without_groups() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(USER, "-UrmuinpCT"));
    let script = format!("{LINKS}; grep -E '^(Uid|Gid|Groups):' /proc/self/status | tr -s '\\t ' ' '");
    let mut command = Command::new("setpriv");
    command.args(["--groups", "7,8"]).arg(tool.0.path().join("nsenter-rs"));
    command.args(["-a", "-t", &target.pid, "/bin/sh", "-c", &script]);
    let output = command.output().unwrap();
    let expected = ["Uid: 0 0 0 0", "Gid: 0 0 0 0", "Groups: "].map(str::to_owned);
    let got = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines(&got), [target.links(), expected.to_vec()].concat());
}

#[test]
fn ids_stay_where_the_user_namespace_has_no_root() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let (bare, same) = (Target::new(USER, "-U"), Target::new(1000, "-Uc"));
    assert_eq!(tool.out(USER, &bare.line("-t TARGET -U"), "id -u; id -g"), "65534\n65534");
    assert_eq!(tool.out(1000, &same.line("-t TARGET -U"), "id -u; id -g"), "1000\n1000");
    assert_eq!(tool.out(0, &same.line("-t TARGET -U"), "id -u; id -G"), "65534\n65534");
}

#[test]
fn one_user_namespace_inside_another_is_entered_by_root_and_by_the_user() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let target = Target::new(USER, "-Urn unshare -Urm");
    for user in [USER, 0] {
        assert_eq!(lines(&tool.out(user, &target.line("-t TARGET -a"), LINKS)), target.links(), "as {user}");
    }
}

#[test]
fn rights_that_only_the_user_namespace_gives_are_used() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(USER, "-Urm"));
    let mut poor_root = Command::new("setpriv");
    poor_root.args(["--bounding-set", "-sys_chroot", "--inh-caps", "-sys_chroot"]);
    poor_root.arg(tool.0.path().join("nsenter-rs")).args(["-a", "-t", &target.pid, "sh", "-c", LINKS]);
    let output = poor_root.output().unwrap();
    assert_eq!(lines(&String::from_utf8_lossy(&output.stdout)), target.links(), "{}", talk(&output));
}

#[test]
fn files_name_namespaces_of_different_owners() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let (theirs, ours) = (Target::new(USER, "-Urn"), Target::new(0, "-nu"));
    let net = |target: &Target| format!("/proc/{}/ns/net", target.pid);
    let script = "readlink /proc/self/ns/user; readlink /proc/self/ns/net";
    let pick = |user: &Target, net: &Target| [user.links().swap_remove(0), net.links().swap_remove(4)];
    let by_root = format!("-t {} -U -n{}", theirs.pid, net(&ours));
    assert_eq!(lines(&tool.out(0, &by_root, script)), pick(&theirs, &ours));
    let by_user = format!("-t {} -U --net={}", theirs.pid, net(&theirs));
    assert_eq!(lines(&tool.out(USER, &by_user, script)), pick(&theirs, &theirs));
    let by_files = format!("-U/proc/{0}/ns/user -n=/proc/{0}/ns/net", theirs.pid);
    assert_eq!(lines(&tool.out(USER, &by_files, script)), pick(&theirs, &theirs));
    tool.refused(0, &format!("-u{}", net(&ours)), "Invalid argument", "another kind of namespace");
    tool.refused(USER, &by_root, "cannot enter the net namespace of /proc/", "Permission denied");
}

#[test]
fn no_means_no_and_says_what_would_help() {
    if !is_root() {
        return;
    }
    let (tool, theirs, roots) = (Tool::new(), Target::new(USER, "-Urn"), Target::new(0, "-n"));
    tool.refused(USER, &theirs.line("-t TARGET -n"), "Operation not permitted", "add -U (or -a)");
    tool.refused(USER, &roots.line("-t TARGET -n"), "Permission denied", "run it as root");
    tool.refused(1000, &theirs.line("-t TARGET -a"), "Permission denied", "another user's");
    let outer = std::process::id().to_string();
    let own = ["-a", "-t", &theirs.pid].map(OsStr::new);
    let inside = Command::new(tool.0.path().join("nsenter-rs"))
        .args(own)
        .arg(tool.0.path().join("nsenter-rs"))
        .args(["-t", &outer, "-n", "true"])
        .output()
        .unwrap();
    assert_eq!(inside.status.code(), Some(125));
    assert!(talk(&inside).contains("this root has fewer rights"), "{}", talk(&inside));
}

#[test]
fn an_outer_pid_namespace_cannot_be_entered() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-p"));
    let nsenter = tool.0.path().join("nsenter-rs");
    let line = format!("-t {} -p {} -p/proc/{}/ns/pid", target.pid, nsenter.display(), std::process::id());
    let output = tool.run(0, &line, "true");
    assert_eq!(output.status.code(), Some(125));
    assert!(
        talk(&output).contains("a pid namespace can be entered from itself or one that holds it"),
        "{}",
        talk(&output)
    );
}

#[test]
fn the_command_starts_in_a_directory_of_the_inside() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-mn"));
    for (line, directory) in [
        ("-t TARGET -m", "/"),
        ("-t TARGET -a", "/"),
        ("-t TARGET -r", "/"),
        ("-t TARGET -mr", "/"),
        ("-t TARGET -mw", "/tmp"),
        ("-t TARGET -n", "/usr"),
        ("-t TARGET -nw", "/tmp"),
        ("-t TARGET -n -w/bin/..", "/usr"),
    ] {
        let expected =
            if line.ends_with("/bin/..") { fs::canonicalize("/bin/..").unwrap() } else { directory.into() };
        assert_eq!(Path::new(&tool.out(0, &target.line(line), "pwd -P")), expected, "{line}");
    }
}

#[test]
fn a_working_directory_outside_the_root_is_not_followed() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let target = Target::doing(0, "-m", "cd /usr");
    let root = format!("-t {} -w -r{}", target.pid, tool.0.path().display());
    let output = tool.run(0, &root, "true");
    assert_eq!(output.status.code(), Some(125));
    assert!(talk(&output).contains("it is not below the root directory"), "{}", talk(&output));
}

#[test]
fn another_root_needs_its_own_programs() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let root = format!("-r{}", tool.0.path().display());
    let version = tool.out(0, &format!("{root} /nsenter-rs --version"), "");
    assert_eq!(version, format!("nsenter-rs {}", env!("CARGO_PKG_VERSION")));
    for (command, hint) in
        [("", "has no shell"), ("/bin/ls", "it was looked for in the root directory inside")]
    {
        let output = tool.run(0, &format!("{root} {command}"), "");
        assert_eq!(output.status.code(), Some(127), "{command}");
        assert!(talk(&output).contains(hint), "{}", talk(&output));
    }
}

#[test]
fn the_callers_shell_is_taken_only_where_it_exists() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-m"));
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let root = passwd.lines().find(|line| line.split(':').nth(2) == Some("0")).unwrap();
    let own = format!("-{}", root.rsplit(['/', ':']).next().unwrap());
    for (shell, runs) in [("/no/such/zsh", own.as_str()), ("/bin/sh", "-sh"), ("", &own)] {
        let mut command = tool.command(0, &target.line("-t TARGET -m"), "");
        command.env("SHELL", shell).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"echo $0\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, format!("{runs}\n").into_bytes(), "{shell}");
    }
}

#[test]
fn the_dead_are_not_entered() {
    if !is_root() {
        return;
    }
    let (tool, mut dead) = (Tool::new(), Command::new("true").spawn().unwrap());
    let pid = Pid::from_raw(dead.id() as i32);
    waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
    for options in ["-a", "-n", "-r", "-w"] {
        let reason = format!("cannot enter process {pid}: it has ended");
        tool.refused(0, &format!("-t {pid} {options}"), &reason, "");
    }
    dead.wait().unwrap();

    let mut target = Target::new(0, "-p");
    let kept = File::open(format!("/proc/{}/ns/pid", target.pid)).unwrap();
    kill(Pid::from_raw(target.pid.parse().unwrap()), Signal::SIGKILL).unwrap();
    target.unshare.wait().unwrap();
    let file = format!("-p/proc/{}/fd/{}", std::process::id(), kept.as_raw_fd());
    tool.refused(0, &file, "PID 1 of the pid namespace has ended", "no process can be started");
}

#[test]
fn a_process_is_found_by_its_number_though_proc_is_of_another_pid_namespace() {
    if !is_root() {
        return;
    }
    let tool = Tool::new();
    let nsenter = tool.0.path().join("nsenter-rs");
    let own = format!("timeout 60 {} -t $$ -a echo $$", nsenter.display());
    let output = Command::new("unshare").args(["-pf", "--kill-child", "sh", "-c", &own]).output().unwrap();
    assert_eq!(output.stdout, b"1\n", "{}", talk(&output));
}

#[test]
fn without_a_fork_only_children_are_inside() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-p"));
    for (options, inside) in [("-p", true), ("-p -F", false), ("-pF", false)] {
        let nsenter = tool.0.path().join("nsenter-rs");
        let script =
            format!("echo $$; exec {} -t {} {options} sh -c 'echo $$'", nsenter.display(), target.pid);
        let output = Command::new("timeout").args(["60", "sh", "-c", &script]).output().unwrap();
        let numbers = lines(&String::from_utf8_lossy(&output.stdout));
        assert_eq!(numbers[0] != numbers[1], inside, "{options}: {numbers:?}");
    }
}

#[test]
fn the_status_comes_back_from_a_child() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-p"));
    for (script, status) in [("exit 7", 7), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
        assert_eq!(tool.run(0, &target.line("-t TARGET -p"), script).status.code(), Some(status), "{script}");
    }
    assert_eq!(tool.run(0, &target.line("-t TARGET -p no-such-program"), "").status.code(), Some(127));
    assert_eq!(tool.run(0, &target.line("-t TARGET -p /etc/passwd"), "").status.code(), Some(126));
}

#[test]
fn a_waiting_parent_hands_signals_on_and_is_shielded_from_the_inside() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(USER, "-Urp"));
    let mut command = as_user(USER, tool.0.path().join("nsenter-rs").to_str().unwrap());
    command.args(["-a", "-t", &target.pid, "sh", "-c", "echo ready; exec sleep 60"]);
    let mut link = command.stdout(Stdio::piped()).spawn().unwrap();
    await_ready(&mut link);
    let shielded = fs::metadata(format!("/proc/{}/environ", link.id())).unwrap();
    assert_eq!(shielded.uid(), 0, "a process of this user can attach to the parent");
    kill(Pid::from_raw(link.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(link.wait().unwrap().code(), Some(143));
}

#[test]
fn no_descriptor_goes_in() {
    if !is_root() {
        return;
    }
    let (tool, target) = (Tool::new(), Target::new(0, "-mp"));
    for options in ["-n", "-a", "-mr -w"] {
        let nsenter = tool.0.path().join("nsenter-rs");
        let list = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done";
        let script = format!(
            "exec 9</etc/passwd 7</; exec {} -t {} {options} sh -c '{list}'",
            nsenter.display(),
            target.pid
        );
        let output = Command::new("timeout").args(["60", "bash", "-c", &script]).output().unwrap();
        let got = String::from_utf8(output.stdout).unwrap();
        // The shell's own, for reading the directory, is 3.
        assert_eq!(
            got.split_whitespace().filter(|fd| *fd != "3").collect::<Vec<_>>(),
            ["0", "1", "2"],
            "{options}"
        );
    }
}
