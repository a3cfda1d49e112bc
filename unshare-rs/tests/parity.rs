//! The same line through util-linux's unshare and through ours: same output, same status.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::Sandbox;

/// Options that both have, with a command that shows their effect. Where the two differ on purpose, see
/// `differences` below.
const SAME: &[&str] = &[
    "true",
    "sh -c exit\u{a0}7",
    "-f sh -c exit\u{a0}7",
    "-fp sh -c echo\u{a0}$$",
    "-u hostname",
    "-U id -u",
    "-U cat /proc/self/uid_map",
    "-r id",
    "-c id -u",
    "-r -c id -u",
    "-c -r id -u",
    "--map-user=7 id -u",
    "--map-user=nobody id -u",
    "--map-group=7 id -g",
    "-r --map-user=7 id -u",
    "--map-user=7 -r id -u",
    "-r --keep-caps grep CapEff /proc/self/status",
    "-c --keep-caps grep CapEff /proc/self/status",
    "-S 7 id -u",
    "-G 7 id",
    "-S 7 -G 8 id",
    "-f -S 7 -G 8 id",
    "-R rootfs pwd",
    "-R rootfs -w /bin pwd",
    "-w rootfs pwd",
    "-m --propagation slave true",
    "-m --propagation=unchanged true",
    "-fp --mount-proc ls -d /proc/1 /proc/2",
    "-fp --mount-proc -R rootfs ls -d /proc/1",
    "-fp --kill-child true",
    "-fp --kill-child=TERM sh -c exit\u{a0}3",
    "-fT --boottime=100000000 sh -c test\u{a0}$(cut\u{a0}-d.\u{a0}-f1\u{a0}/proc/uptime)\u{a0}-gt\u{a0}100000000",
    "-fT --monotonic=-1 true",
    "-C cat /proc/self/cgroup",
    "--ut hostname",
    "--map-ro id -u",
    "no-such-program",
    "/etc/passwd",
    "-u -- sh -c exit\u{a0}4",
];

/// A no-break space in the table is a blank within one word.
fn words(line: &str) -> impl Iterator<Item = String> {
    line.split(' ').map(|word| word.replace('\u{a0}', " "))
}

#[test]
fn as_root_both_do_the_same() {
    let Some(sandbox) = Sandbox::root() else { return };
    compare(&sandbox, SAME);
}

#[test]
fn as_a_user_both_do_the_same() {
    let sandbox = Sandbox::user();
    let lines = [
        "-r id",
        "-c id -u",
        "-r cat /proc/self/setgroups",
        "-rm true",
        "-rfp --mount-proc sh -c echo\u{a0}$$",
        "-ru hostname",
    ];
    compare(&sandbox, &lines);
}

fn compare(sandbox: &Sandbox, lines: &[&str]) {
    for line in lines {
        let run = |tool: &str| sandbox.run(tool).args(words(line)).done();
        let (theirs, ours) = (run("unshare"), run("unshare-rs"));
        assert_eq!((ours.status, ours.text()), (theirs.status, theirs.text()), "{line}\n{theirs}\n{ours}");
    }
}

/// What the man page lists under DIFFERENCES.
#[test]
fn differences() {
    let Some(sandbox) = Sandbox::root() else { return };
    let ours = |line: &str| sandbox.run("unshare-rs").args(words(line)).done();
    let theirs = |line: &str| sandbox.run("unshare").args(words(line)).done();

    // -p forks by itself; --no-fork is the raw form.
    assert_eq!(ours("-p sh -c echo\u{a0}$$").is(0).text(), "1");
    assert_ne!(theirs("-p sh -c echo\u{a0}$$").text(), "1");
    assert_ne!(ours("-p --no-fork sh -c echo\u{a0}$$").text(), "1");

    // Own failures are 125, so that they are not taken for the command's.
    assert_eq!((theirs("--bogus").status, ours("--bogus").status), (1, 125));

    // A signal ends the command, and is told as a shell would; util-linux kills itself by it.
    assert_eq!(ours("-f sh -c kill\u{a0}-TERM\u{a0}$$").status, 128 + 15);
    assert_eq!(theirs("-f sh -c kill\u{a0}-TERM\u{a0}$$").status, -15);

    // Root maps a single group and keeps setgroups; util-linux gives it up.
    assert_eq!(ours("-r cat /proc/self/setgroups").is(0).text(), "allow");
    assert_eq!(theirs("-r cat /proc/self/setgroups").is(0).text(), "deny");

    // So it is not given up twice, which util-linux tries and fails at.
    assert_eq!(ours("-r --setgroups=deny cat /proc/self/setgroups").is(0).text(), "deny");
    assert_eq!(theirs("-r --setgroups=deny cat /proc/self/setgroups").status, 1);

    // The loopback interface is up.
    assert!(ours("-n ip -br link").is(0).text().contains("LOOPBACK,UP"));
    assert!(!theirs("-n ip -br link").is(0).text().contains("LOOPBACK,UP"));

    // -S with --keep-caps keeps them.
    let caps = "-U --map-users=0,0,10 --keep-caps -S 7 grep CapEff /proc/self/status";
    assert!(!ours(caps).is(0).text().ends_with("0000000000000000"), "{}", ours(caps));
}
