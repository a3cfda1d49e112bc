//! Options that the system's util-linux does not have yet, or whose refusals are ours.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use tests::Sandbox;

#[test]
fn a_user_namespace_can_belong_to_another_user() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "sleep 1000 & echo; readlink /proc/$!/ns/user; kill $!";
    sandbox.run("unshare-rs --owner 64323:64323 -rn sh -c").arg(script).done().is(0);
    let map = sandbox.run("unshare-rs --owner 64323:64323 -r cat /proc/self/uid_map").done().is(0).text();
    assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", "64323", "1"]);
    // What belongs to it can be entered without being root: the owner has every right in it.
    let script = "unshare-rs --owner 64323:64323 -rp sleep 1000 & link=$!
        until init=$(pgrep -P $link sleep); do :; done
        setpriv --reuid 64323 --regid 64323 --clear-groups nsenter -U -t $init --preserve-credentials id -u
        kill $link";
    assert_eq!(sandbox.shell(script).done().is(0).text(), "0");
}

#[test]
fn clocks_are_set_before_the_first_process_is_in() {
    let Some(sandbox) = Sandbox::root() else { return };
    for options in ["-T", "-fT", "-pT", "-rT", "-pTr"] {
        let text = sandbox
            .run(&format!("unshare-rs {options} --boottime 200000000 cat /proc/uptime"))
            .done()
            .is(0)
            .text();
        assert!(text.starts_with("200"), "{options}: {text}");
    }
    let refused = sandbox.run("unshare-rs -T --boottime -200000000 true").done().is(125);
    refused.complains_as("unshare-rs").says("before 0");
    sandbox.run("unshare-rs --boottime 5 true").done().is(125).says("add -T");
}

#[test]
fn the_environment_is_cleared_or_sifted() {
    let Some(sandbox) = Sandbox::root() else { return };
    assert_eq!(sandbox.run("unshare-rs --clear-env /usr/bin/env").done().is(0).text(), "");
    let sifted =
        sandbox.run("unshare-rs --whitelist-env A,C /usr/bin/env").env("A", "1").env("B", "2").env("C", "3");
    let mut lines: Vec<String> = sifted.done().is(0).text().lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["A=1", "C=3"]);
}

#[test]
fn every_kind_at_once() {
    let Some(sandbox) = Sandbox::root() else { return };
    let report = sandbox.run("unshare-rs -ar probe report").done().is(0).json();
    for kind in ["user", "mnt", "uts", "ipc", "net", "pid", "cgroup", "time"] {
        let outside = fs::read_link(format!("/proc/self/ns/{kind}"));
        let Ok(outside) = outside else { continue };
        assert_ne!(report["namespaces"][kind], outside.to_str().unwrap(), "{kind}");
    }
}

#[test]
fn both_maps_come_from_the_delegated_ranges() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("subids", "root:300000:1000\n", 0o644);
    let maps = |option: &str| {
        let script = format!(
            "mount --bind subids /etc/subuid; mount --bind subids /etc/subgid
             exec unshare-rs {option} cat /proc/self/uid_map /proc/self/gid_map"
        );
        let text = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(0).quiet().text();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(maps("--map-auto"), "0 300000 1000 0 300000 1000");
    assert_eq!(maps("--map-subids"), "300000 300000 1000 300000 300000 1000");
    assert_eq!(maps("-r --map-auto"), "0 0 1 1 300000 999 0 0 1 1 300000 999");
}

#[test]
fn foreign_programs_get_an_interpreter_inside_only() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.file("foreign", "#~text\n", 0o755);
    let line = "unshare-rs -rp --load-interp=:chain-test:M::#~::/bin/cat: ./foreign";
    let outcome = sandbox.run(line).done();
    if outcome.talk().contains("no binfmt_misc") {
        return assert!(!fs::read_to_string("/proc/filesystems").unwrap().contains("binfmt_misc"));
    }
    assert_eq!(outcome.is(0).text(), "#~text");
    sandbox.run("./foreign").done();
    sandbox.run("unshare-rs -rp --load-interp=nonsense true").done().is(125).complains_as("unshare-rs");
}

#[test]
fn setgroups_is_what_was_said() {
    let Some(sandbox) = Sandbox::root() else { return };
    let of = |options: &str| {
        sandbox.run(&format!("unshare-rs {options} cat /proc/self/setgroups")).done().is(0).text()
    };
    assert_eq!(of("-r --setgroups deny"), "deny");
    assert_eq!(of("-r --setgroups allow"), "allow");
    assert_eq!(of("-fr --setgroups deny"), "deny");
    let user = Sandbox::user();
    user.run("unshare-rs -r --setgroups allow true").done().is(125).complains_as("unshare-rs");
    sandbox.run("unshare-rs --setgroups deny true").done().is(125).says("add -U");
}

#[test]
fn a_login_shell_runs_when_no_command_is_given() {
    let Some(sandbox) = Sandbox::root() else { return };
    let shell = sandbox.run("unshare-rs -u").env("SHELL", "/bin/sh").stdin(b"echo $0\n").done().is(0);
    assert_eq!(shell.text(), "-sh");
}

#[test]
fn an_id_without_a_map_is_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    sandbox.run("unshare-rs -r -S 5 true").done().is(125).complains_as("unshare-rs").says("no map");
}
