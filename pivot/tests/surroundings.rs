//! What the command finds around it: what is hidden, names, owners, ties to the outside.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use tests::{Sandbox, each};

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

/// The mount points below /proc and /sys.
fn covers(sandbox: &Sandbox, options: &str) -> Vec<String> {
    let line = format!("unshare-rs -pm pivot {options} rootfs cat /proc/self/mountinfo");
    let table = sandbox.run(&line).done().is(0).quiet().text();
    let points = table.lines().map(|line| line.split(' ').nth(4).unwrap());
    let mut found: Vec<String> = points
        .filter(|point| point.starts_with("/proc/") || point.starts_with("/sys/"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

#[test]
fn defaults_can_be_taken_back_one_by_one_or_all() {
    let Some(sandbox) = sandbox() else { return };
    let all = covers(&sandbox, "");
    assert_eq!(covers(&sandbox, "--unmask all"), Vec::<String>::new());
    assert_eq!(covers(&sandbox, "--unmask /proc --unmask /sys"), Vec::<String>::new());
    each(["/proc/sys", "/proc/keys", "/proc/interrupts", "/sys/firmware"], |path| {
        let rest: Vec<String> = all.iter().filter(|point| *point != path).cloned().collect();
        assert!(rest.len() < all.len(), "{path} is not among {all:?}");
        assert_eq!(covers(&sandbox, &format!("--unmask {path}")), rest);
    });
    assert!(covers(&sandbox, "--unmask /proc").iter().all(|point| point.starts_with("/sys/")));
    for path in ["/foo", "/proc/self", "/proc/key", "/sys/devices/system/cpu/cpu0"] {
        let outcome = sandbox.run("pivot --unmask").args([path, "rootfs", "true"]).done().is(125);
        outcome.complains_as("pivot").says("nothing is hidden or read-only there by default");
    }
}

#[test]
fn more_can_be_hidden_or_made_read_only() {
    let Some(sandbox) = sandbox() else { return };
    sandbox.file("rootfs/secret", "secret", 0o600);
    fs::create_dir_all(sandbox.path("rootfs/dir/sub")).unwrap();
    let script =
        "cat /secret /dir/* /t/f; ls -A /dir; touch /tmp/x /t/x; echo x >/secret; chmod 777 /secret; :";
    for options in ["", "--bare "] {
        let line = format!(
            "pivot {options}--mask /secret --mask /dir --mask /missing --mask /etc/passwd/x --ro-path /tmp --ro-path /t \
             --ro-path /missing --tmpfs /t --file /t/f=f rootfs sh -c"
        );
        let outcome = sandbox.run(&line).arg(script).done().is(0);
        assert_eq!(outcome.text(), "f", "{options}");
        outcome.says("/tmp/x: Read-only").says("/t/x: Read-only").says("/secret: Read-only");
    }
    assert_eq!(fs::read(sandbox.path("rootfs/secret")).unwrap(), b"secret");
    each(["--mask", "--ro-path"], |option| {
        for (path, expected) in
            [("a", "PATH is not absolute"), ("/", "PATH is the root itself"), ("/..", "PATH has a ..")]
        {
            sandbox
                .run("pivot")
                .args([option, path, "rootfs"])
                .done()
                .is(125)
                .complains_as("pivot")
                .says(expected);
        }
    });
}

#[test]
fn the_machine_is_renamed_for_the_command_only() {
    let Some(sandbox) = sandbox() else { return };
    let names = || fs::read(["/proc/sys/kernel/", "hostname"].concat()).unwrap();
    let before = names();
    for prefix in ["", "unshare-rs -pum ", "unshare-rs -pm "] {
        let line = format!("{prefix}pivot --proc --hostname box.1 --domainname dom rootfs sh -c");
        let run = sandbox.run(&line).arg("hostname; cat /proc/sys/kernel/domainname");
        assert_eq!(run.done().is(0).quiet().text(), "box.1\ndom");
        assert_eq!(names(), before);
    }
    let long = "x".repeat(65);
    let rows =
        [("", "it is empty"), (long.as_str(), "longer than 64 bytes"), ("a\nb", "it has control characters")];
    each(rows, |(name, expected)| {
        for option in ["--hostname=", "--domainname="] {
            let outcome =
                sandbox.run("pivot").arg(format!("{option}{name}")).args(["rootfs", "hostname"]).done();
            if !name.is_empty() {
                outcome.clone().says(expected);
            }
            outcome.is(125).complains_as("pivot");
        }
    });
    let user = Sandbox::user();
    let line = "unshare-rs -Urm pivot --hostname box rootfs hostname";
    assert_eq!(user.run(line).done().is(0).quiet().text(), "box");
}

#[test]
fn files_for_host_names_are_taken_from_the_line_or_the_link_before() {
    let Some(sandbox) = sandbox() else { return };
    let given = sandbox.file("given", "given", 0o644);
    sandbox.file("told", "told", 0o644);
    let run = |line: &str| {
        let run = sandbox.run(line).env("CHAIN_HOSTS", &given).env("CHAIN_RESOLV_CONF", "given");
        let script = "cat /etc/hosts; echo; cat /etc/resolv.conf; env | grep CHAIN_[HR]; echo x >>/etc/hosts";
        run.args(["rootfs", "sh", "-c", script]).done().text()
    };
    assert_eq!(run("pivot"), "given\ngiven");
    assert_eq!(run("pivot --hosts told"), "told\ngiven");
    let text = sandbox.run("pivot rootfs cat /etc/resolv.conf").env("CHAIN_RESOLV_CONF", "a text\n of lines");
    assert_eq!(text.done().is(0).quiet().text(), "a text\n of lines");
    assert_eq!(run("pivot --file /etc/resolv.conf=text"), "given\ntext");
    assert_eq!(fs::read(&given).unwrap(), b"given");
    fs::remove_file(sandbox.path("rootfs/etc/hosts")).unwrap();
    fs::remove_file(sandbox.path("rootfs/etc/resolv.conf")).unwrap();
    assert_eq!(run("pivot --bare --file /etc/hosts=- --resolv-conf told"), "-\ntold");
    let outcome = sandbox.run("pivot rootfs true").env("CHAIN_HOSTS", "missing").done().is(125);
    outcome
        .complains_as("pivot")
        .says("cannot mount missing on /etc/hosts: No such file")
        .says("CHAIN_HOSTS");
    sandbox.run("pivot rootfs true").env("CHAIN_HOSTS", "").done().is(0).quiet();
}

#[test]
fn the_owners_of_the_root_are_shown_as_the_map_says() {
    let Some(sandbox) = sandbox() else { return };
    if sandbox.run("pivot --idmap 0:0:1 rootfs true").done().talk().contains("cannot map ids") {
        return tests::skip("the file system of the temporary directory cannot map ids");
    }
    let line = "pivot --idmap 0:1000:100 --tmpfs /new/t --symlink /new/l=x --chmod /new=711 rootfs stat -c";
    let run = sandbox.run(line).args(["%u %g %a", "/", "/bin/busybox", "/new", "/new/t"]);
    let text = run.done().is(0).quiet().text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("1000 1000 ") && lines[1].starts_with("1000 1000 "), "{text}");
    assert_eq!(lines[2..], ["1000 1000 711", "0 0 1777"]);
    let script = "mount -t tmpfs x rootfs/tmp; mkdir rootfs/p; mount -t proc x rootfs/p; pivot --idmap 0:1:1 rootfs true";
    let outcome = sandbox.run("unshare -m sh -c").arg(script).done().is(125).complains_as("pivot");
    outcome
        .says("cannot map the ids of rootfs: its file system, or one that is mounted in it, cannot map ids");
    sandbox
        .run("pivot --idmap 0 rootfs")
        .done()
        .is(125)
        .complains_as("pivot")
        .says("MAP is INSIDE:OUTSIDE:COUNT");
}

/// Prepares a root on a shared mount, and runs `inside` in it, at whose first line of output something is mounted
/// in the root outside.
const LATER: &str = "mkdir s; mount -t tmpfs x s; mkdir s/root s/root/later; mount --bind rootfs s/root; mount --make-shared s/root
    mkdir -p rootfs/later; mkfifo go back; test -z \"$SHARE\" || mount --make-private s/root
    pivot $OPTION --tmpfs /t --bind s/root:/o s/root sh -ec 'echo; read x; if test -e /later/y; then echo in; fi; if test -e /o/later/y; then echo bound; fi' <go >back &
    exec 5>go 6<back; if read x <&6; then mount -t tmpfs y s/root/later; touch s/root/later/y; echo >&5; cat <&6; fi
    wait $! || echo $?; grep -c s/root/t /proc/self/mountinfo || :; umount -R s; rm -r s go back";

#[test]
fn later_mounts_reach_a_slave_and_nothing_goes_out() {
    let Some(sandbox) = sandbox() else { return };
    each(
        [
            ("", "0"),
            ("--propagation=private", "0"),
            ("--propagation=slave", "in\n0"),
            ("--propagation=shared", "0"),
        ],
        |(option, expected)| {
            let run = sandbox.run("unshare -m sh -euc").arg(LATER).env("OPTION", option).env("SHARE", "");
            assert_eq!(run.done().is(0).quiet().text(), expected, "{option}");
        },
    );
    let run =
        sandbox.run("unshare -m sh -euc").arg(LATER).env("OPTION", "--propagation=slave").env("SHARE", "no");
    let outcome =
        run.done().is(0).says("cannot let mounts into s/root: it does not lie on a shared mount here");
    assert_eq!(outcome.text(), "125\n0");
}

#[test]
fn a_shared_root_is_shared_with_what_is_made_inside() {
    let Some(sandbox) = sandbox() else { return };
    let fields = |option: &str| {
        let line = format!("unshare-rs -pm pivot {option} rootfs grep ' / / \\| / ' /proc/self/mountinfo");
        let run = sandbox.shell(&format!("exec {}", line.replace("' / / \\| / '", "' / rw'")));
        run.done().is(0).text()
    };
    assert!(fields("--propagation shared").contains(" shared:"));
    assert!(fields("--propagation unbindable").contains(" unbindable"));
    assert!(!fields("--propagation private").contains(" shared:"));
    let outcome = sandbox.run("pivot --propagation x rootfs").done().is(125).complains_as("pivot");
    outcome.says("it is one of private, slave, shared and unbindable");
}
