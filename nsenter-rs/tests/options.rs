//! Options that the system's util-linux does not have yet, or that are ours.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::os::unix::fs::MetadataExt;
use tests::{Sandbox, leak};

fn link(process: &str, kind: &str) -> String {
    fs::read_link(format!("/proc/{process}/ns/{kind}")).unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_process_is_told_from_a_later_one_by_its_inode() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -u");
    let pid = Pid::from_raw(target.pid.parse().unwrap()).unwrap();
    let pidfd = fs::File::from(pidfd_open(pid, PidfdFlags::empty()).unwrap());
    let inode = pidfd.metadata().unwrap().ino();
    let line = |inode: u64| format!("-t {pid}:{inode} -u readlink /proc/self/ns/uts", pid = target.pid);
    if target.enter(&sandbox, &line(inode)).done().talk().contains("Linux 6.9") {
        return tests::skip("before Linux 6.9 all pidfds have the same inode");
    }
    assert_eq!(target.text(&sandbox, &line(inode)), link(&target.pid, "uts"));
    let other = target.refused(&sandbox, &line(inode + 1));
    other.says("No such process").says(&format!("{}:{inode}", target.pid));
}

#[test]
fn an_id_leads_to_a_namespace_only_where_the_kernel_can() {
    let Some(sandbox) = Sandbox::root() else { return };
    let outcome =
        sandbox.run("nsenter-rs -n:18446744073709551615 true").done().is(125).complains_as("nsenter-rs");
    let talk = outcome.talk();
    let too_old =
        talk.contains("this kernel cannot find a namespace by its id") && talk.contains("Linux 6.19");
    assert!(too_old || talk.contains("there is none with this id"), "{talk}");
}

#[test]
fn the_network_of_a_socket_is_entered() {
    let Some(sandbox) = Sandbox::root() else { return };
    // Standard input is a socket of the first network namespace, the process is in a second one.
    let script = "readlink /proc/self/ns/net >first; exec unshare-rs -n probe hold <>/dev/udp/127.0.0.1/9";
    let target = Target::of(&sandbox, sandbox.run("unshare-rs -n bash -c").arg(script));
    let first = fs::read_to_string(sandbox.path("first")).unwrap();
    assert_eq!(target.text(&sandbox, "-t T -N 0 readlink /proc/self/ns/net"), first.trim_end());
    assert_eq!(target.text(&sandbox, "-t T -a --net-socket=0 readlink /proc/self/ns/net"), first.trim_end());
    assert_ne!(target.text(&sandbox, "-t T -n readlink /proc/self/ns/net"), first.trim_end());
    target.refused(&sandbox, "-t T -N 1 true").says("it is no socket");
    target.refused(&sandbox, "-t T -N 99 true").says("it has none of this number");
    target.refused(&sandbox, "-N 0 true").says("no process is given");
}

#[test]
fn the_parent_user_namespace_is_that_of_what_was_chosen() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "readlink /proc/self/ns/user >outer; exec unshare-rs -r unshare-rs -n probe hold";
    let target = Target::of(&sandbox, sandbox.run("unshare-rs -r sh -c").arg(script));
    let (outer, inner) = (fs::read_to_string(sandbox.path("outer")).unwrap(), link(&target.pid, "user"));
    let user = |options: &str| target.text(&sandbox, &format!("{options} readlink /proc/self/ns/user"));
    assert_eq!(user("-t T -U"), inner);
    assert_eq!(user("-t T -U --user-parent"), outer.trim_end());
    assert_eq!(user("-t T --user-parent -U/proc/T/ns/user"), outer.trim_end());
    assert_eq!(user("-t T -a --user-parent"), outer.trim_end());
    assert_eq!(user("-t T -n --user-parent"), inner);
    assert_eq!(user("-n/proc/T/ns/net --user-parent"), inner);
    target.refused(&sandbox, "-t T --user-parent true").says("no namespace is chosen whose parent");
    // The first user namespace of all has none.
    let own = sandbox.run("nsenter-rs -U/proc/self/ns/user --user-parent true").done();
    own.is(125).complains_as("nsenter-rs").says("Operation not permitted");
}

#[test]
fn ids_follow_the_target_in_the_numbers_of_its_user_namespace() {
    let Some(sandbox) = Sandbox::root() else { return };
    let ids = |target: &Target, options: &str| {
        target.text(&sandbox, &format!("{options} sh -c id\u{a0}-u;\u{a0}id\u{a0}-g;\u{a0}id\u{a0}-G"))
    };
    let target = Target::start(&sandbox, "setpriv --reuid 64321 --regid 64322 --clear-groups unshare-rs -c");
    assert_eq!(ids(&target, "-t T -n -S follow -G follow"), "64321\n64322\n64322");
    drop(target);
    let maps = "--map-users 0:300000:10 --map-groups 0:300000:10";
    let target = Target::start(&sandbox, &format!("unshare-rs -u {maps} -S 7 -G 8"));
    assert_eq!(ids(&target, "-t T -U -S follow -G follow"), "7\n8\n8");
    assert_eq!(ids(&target, "-t T -U"), "0\n0\n0");
    assert_eq!(ids(&target, "-t T -U -S 3"), "3\n0\n0");
    target.refused(&sandbox, "-t T -U -S 10 true").says("the user namespace has no user 10");
    target.refused(&sandbox, "-t T -U -G 10 true").says("the user namespace has no group 10");
}

#[test]
fn capabilities_are_kept_over_the_start_of_a_user() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -U --map-users 0:300000:10 --map-groups 0:300000:10");
    let has_none = |options: &str| {
        let line = format!("{options} sh -c grep\u{a0}CapEff\u{a0}/proc/self/status");
        target.text(&sandbox, &line).ends_with("0000000000000000")
    };
    assert!(has_none("-t T -U -S 7"));
    assert!(!has_none("-t T -U -S 7 --keep-caps"));
    assert!(!has_none("-t T -U --keep-caps"));
    // Outside of a user namespace there is nothing to keep, as with util-linux.
    assert!(has_none("-t T -n -S 7 --keep-caps"));
}

#[test]
fn the_environment_is_the_targets() {
    let Some(sandbox) = Sandbox::root() else { return };
    let long = "x".repeat(100_000);
    let run = sandbox.run("unshare-rs -u env -i").arg(format!("LONG={long}")).args(["A=1", "PATH=/no/such"]);
    let marker = format!("{}={}", leak::Marker::NAME, sandbox.marker().value());
    let probe = tests::bin("probe");
    let target = Target::of(&sandbox, run.arg(marker).arg(&probe).arg("hold"));
    let env = target.enter(&sandbox, "-t T -e /usr/bin/env").env("B", "2").done().is(0).text();
    assert!(
        env.contains(&format!("LONG={long}\n")) && env.contains("A=1\n") && !env.contains("B=2"),
        "{env:.300}"
    );
    // It is looked for with the PATH that it gets.
    let outcome = target.enter(&sandbox, "-t T -e env").done();
    outcome.is(127).complains_as("nsenter-rs").says("not found in PATH");
    target.enter(&sandbox, "-t T -u env").done().is(0);
}

#[test]
fn a_working_directory_has_its_name_inside() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum pivot rootfs");
    let pwd = |options: &str| target.text(&sandbox, &format!("{options} pwd"));
    assert_eq!(pwd("-t T -a -W/etc"), "/etc");
    assert_eq!(pwd("-t T -a --wdns=tmp"), "/tmp");
    assert_eq!(pwd("-t T -m -W/bin"), "/bin");
    assert_eq!(pwd("-t T -a -W"), "/");
    target.refused(&sandbox, "-t T -a -W/no/such true").says("cannot go to /no/such inside: No such file");
    target.refused(&sandbox, "-t T -a -W/etc -w/etc true").says("does not go with");
}

#[test]
fn a_context_is_followed_only_where_there_is_one() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -u");
    if fs::read_to_string("/proc/filesystems").unwrap().contains("selinuxfs") {
        let context = "cat /proc/self/attr/current";
        assert_eq!(
            target.text(&sandbox, &format!("-t T -uZ {context}")),
            target.text(&sandbox, &format!("-t T -u {context}"))
        );
    } else {
        target.refused(&sandbox, "-t T -uZ true").says("SELinux is not enabled");
    }
}

#[test]
fn a_box_is_found_by_its_name() {
    let sandbox = Sandbox::user();
    let target = Target::start(&sandbox, "unshare-rs -ru");
    fs::create_dir_all(sandbox.path("box/web")).unwrap();
    fs::create_dir_all(sandbox.path("box/broken")).unwrap();
    fs::write(sandbox.path("box/web/pid"), format!("{}\n", target.pid)).unwrap();
    fs::write(sandbox.path("box/broken/pid"), "none\n").unwrap();
    let run = |name: &str| {
        let run = sandbox.run("nsenter-rs --box").arg(name).args(["-a", "readlink", "/proc/self/ns/uts"]);
        run.env("XDG_RUNTIME_DIR", sandbox.dir()).done()
    };
    assert_eq!(run("web").is(0).text(), link(&target.pid, "uts"));
    run("broken").is(125).complains_as("nsenter-rs").says("box/broken/pid is damaged");
    run("other").is(125).complains_as("nsenter-rs").says("there is none").says("box/other/pid is missing");
    for name in ["../web", "", ".", "..", "-x", "a/b", "a b"] {
        run(name).is(125).complains_as("nsenter-rs");
    }
    run("../box/web").says("that is no name");
    sandbox.run("nsenter-rs --box web -a true").done().is(125).says("there is none");
    sandbox.run("nsenter-rs --box web -t 1 -a true").done().is(125).says("does not go with");
}

#[test]
fn the_namespaces_are_listed_beside_the_own_ones() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -Upn --map-users 0:300000:10 --map-groups 5:400000:1");
    let rows = |options: &str| -> Vec<serde_json::Value> {
        let text = target.enter(&sandbox, options).done().is(0).quiet().text();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = rows("-t T --list --json");
    for row in &all {
        let kind = row["kind"].as_str().unwrap();
        let file = if kind == "mount" { "mnt" } else { kind };
        let inode = |link: String| -> u64 { link.split(['[', ']']).nth(1).unwrap().parse().unwrap() };
        assert_eq!(row["target"], inode(link(&target.pid, file)), "{kind}");
        assert_eq!(row["own"], inode(link("self", file)), "{kind}");
        let differs = ["user", "pid", "net"].contains(&kind);
        assert_eq!((&row["same"], &row["join"]), (&(!differs).into(), &differs.into()), "{kind}");
        assert_eq!(row.get("uid_map").is_some(), kind == "user");
    }
    assert_eq!(all[0]["uid_map"], serde_json::json!([[0, 300_000, 10]]));
    assert_eq!(all[0]["gid_map"], serde_json::json!([[5, 400_000, 1]]));
    let joins: Vec<_> =
        rows("-t T --list --json -nm").into_iter().filter(|row| row["join"] == true).collect();
    assert_eq!(joins.iter().map(|row| &row["kind"]).collect::<Vec<_>>(), ["net"]);

    let text = target.text(&sandbox, "-t T --list");
    let row = |kind: &str| text.lines().find(|line| line.starts_with(kind)).unwrap().to_owned();
    assert!(row("pid").ends_with("differs yes") && row("uts").ends_with("same    no"), "{text}");
    assert!(text.contains("uid 0 inside is 300000 outside, count 10\n"), "{text}");
    sandbox.run("nsenter-rs --list").done().is(125).says("no process is given");
    sandbox.run("nsenter-rs -t 1 --json").done().is(125);
}
