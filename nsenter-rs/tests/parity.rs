//! The same line through util-linux's nsenter and through ours: same output, same status.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use tests::{Outcome, Sandbox, each};

const LINKS: &str = "sh -c for\u{a0}n\u{a0}in\u{a0}user\u{a0}mnt\u{a0}uts\u{a0}ipc\u{a0}net\u{a0}pid\u{a0}cgroup\u{a0}time;\u{a0}do\u{a0}readlink\u{a0}/proc/self/ns/$n;\u{a0}done";

/// Namespaces that both join; their links are shown by the command.
const JOINED: &[&str] = &[
    "-t T -m",
    "-t T -u",
    "-t T -i",
    "-t T -n",
    "-t T -m -p",
    "-t T -C",
    "-t T -T",
    "-t T -a",
    "-aFt T",
    "-t T -F -p",
    "-t T --mount --uts --ipc --net --pid --cgroup --time",
    "-u/proc/T/ns/uts",
    "--uts=/proc/T/ns/uts",
    "-n/proc/T/ns/net -m/proc/T/ns/mnt",
    "-t T -a -n/proc/self/ns/net",
    "-t T -a --preserve-credentials",
    "--target T --ut",
    "--targ T --mou --pi",
    "-t T -n -n",
];

/// What else both do alike. Where the two differ on purpose, see `differences` below.
const SAME: &[&str] = &[
    "-t T -r -w pwd",
    "-t T -m -w pwd",
    "-t T -n -w/usr/lib pwd",
    "-t T -n --wd=/usr/lib pwd",
    "-t T -n -t T true",
    "-n/proc/T/ns/net -r/usr -w/usr/lib pwd",
    "-t T -u -S 7 id -u",
    "-t T -u -G 7 id",
    "-t T -u -S 7 -G 8 id",
    "-t T -u --setuid=7 --setgid=8 id",
    "-t T -m -p -S 7 -G 8 id",
    "-t T -m -p sh -c exit\u{a0}7",
    "-t T -a sh -c echo\u{a0}\"$@\" name -a -t",
    "-t T -n -- sh -c exit\u{a0}4",
    "-t T -n no-such-program",
    "-t T -n /etc/passwd",
    "-t T -m -p no-such-program",
    "-t T -n cat",
    "-t T -n",
    "-t T -m",
    "-t T -m -p",
];

#[test]
fn as_root_both_do_the_same() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "cd /tmp && exec probe hold";
    let time = std::fs::exists("/proc/self/ns/time").unwrap();
    let options = if time { "-muinpCTf" } else { "-muinpCf" };
    let run = sandbox.run("unshare --mount-proc").args([options, "sh", "-c", script]);
    let target = Target::of(&sandbox, run);
    let possible = JOINED.iter().filter(|line| time || !line.contains("-T") && !line.contains("time"));
    each(possible, |line| compare(&sandbox, &target, &format!("{line} {LINKS}")));
    each(SAME, |line| compare(&sandbox, &target, line));
}

#[test]
fn a_container_of_a_user_is_entered_the_same_by_root() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(
        &sandbox,
        "setpriv --reuid 64323 --regid 64323 --clear-groups unshare -rmnpf --mount-proc",
    );
    let lines = [
        &format!("-t T -U {LINKS}"),
        "-t T -U id",
        "-t T -a id",
        &format!("-t T -a {LINKS}"),
        "-t T -U -n -m --preserve-credentials id -u",
        &format!("-t T -n {LINKS}"),
        "-t T -U cat /proc/self/uid_map",
        "-U/proc/T/ns/user id",
        "-t T -U -S 0 -G 0 id",
    ];
    each(lines, |line: &str| compare(&sandbox, &target, line));
}

#[test]
fn a_user_enters_the_own_namespaces_the_same() {
    let sandbox = Sandbox::user();
    let target = Target::start(&sandbox, "unshare -rmuinpCf --mount-proc");
    let lines = [
        &format!("-t T -Um --preserve-credentials {LINKS}"),
        "-t T -U -m -u -i -n -p -C --preserve-credentials id",
        "-t T -U -m -u -i -n -p -C --preserve-credentials sh -c exit\u{a0}7",
    ];
    each(lines, |line: &str| compare(&sandbox, &target, line));
}

#[track_caller]
fn compare(sandbox: &Sandbox, target: &Target, line: &str) {
    // A shell without a command is asked for its name.
    let run = |tool: &str| {
        target.with(sandbox, tool, line).env("SHELL", "/bin/sh").stdin(b"echo shell is $0 >&2\n").done()
    };
    let (theirs, ours) = (run("nsenter"), run("nsenter-rs"));
    let shell = |talk: String| talk.contains("shell is -sh");
    let facts = |done: &Outcome| (done.status, done.text(), shell(done.talk()));
    assert_eq!(facts(&ours), facts(&theirs), "{line}\n{theirs}\n{ours}");
}

/// What the man page lists under DIFFERENCES.
#[test]
fn differences() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare -mpuf --mount-proc");
    let ours = |line: &str| target.with(&sandbox, "nsenter-rs", line).done();
    let theirs = |line: &str| target.with(&sandbox, "nsenter", line).done();

    // Own failures are 125, so that they are not taken for the command's.
    assert_eq!((theirs("--bogus").status, ours("--bogus").status), (1, 125));

    // A signal ends the command, and is told as a shell would; util-linux kills itself by it.
    assert_eq!(ours("-t T -m -p sh -c kill\u{a0}-TERM\u{a0}$$").status, 128 + 15);
    assert_eq!(theirs("-t T -m -p sh -c kill\u{a0}-TERM\u{a0}$$").status, -15);

    // Letters after a letter are a bundle, not the name of a file.
    ours("-t T -un true").is(0);
    assert_eq!(theirs("-t T -un true").status, 1);

    // Nobody is left in a directory outside of the new root.
    assert_eq!(ours("-t T -r pwd").is(0).text(), "/");
    assert_eq!(theirs("-t T -r pwd").text(), sandbox.dir().to_str().unwrap());
    assert_eq!(ours("-t T -r/usr -n /bin/env pwd").is(0).text(), "/");
    assert!(
        !theirs("-t T -r/usr -n /bin/env pwd").text().starts_with('/')
            || theirs("-t T -r/usr -n /bin/env pwd").text() != "/"
    );
}

/// Row 9 and 10 of the reference's table: what made rootless use of util-linux's impossible.
#[test]
fn a_user_enters_the_own_container_with_a_alone() {
    let sandbox = Sandbox::user();
    let target = Target::start(&sandbox, "unshare-rs -Urpum --mount-proc");
    let theirs = target.with(&sandbox, "nsenter", "-t T -a id -u").done();
    assert_eq!(theirs.status, 1, "util-linux's can do it too now: {theirs}");
    assert_eq!(target.text(&sandbox, "-t T -a id -u"), "0");
    let theirs = target.with(&sandbox, "nsenter", "-t T -U id -u").done();
    assert_eq!(theirs.status, 1, "util-linux's can do it too now: {theirs}");
    assert_eq!(target.text(&sandbox, "-t T -U id -u"), "0");
}
