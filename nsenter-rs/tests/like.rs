//! `--like-target`: whatever a process is, the command is too.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use std::fs;
use tests::{Sandbox, each};

/// What a process is made of, as the host sees it: ids, groups, capabilities, no_new_privs, namespaces, root, control
/// groups.
fn nature(pid: &str) -> Vec<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let fields =
        ["Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:"];
    let is_wanted = |line: &&str| fields.iter().any(|field| line.starts_with(field));
    let mut nature: Vec<String> =
        status.lines().filter(is_wanted).map(|line| line.trim_end().to_owned()).collect();
    for link in
        ["ns/user", "ns/mnt", "ns/uts", "ns/ipc", "ns/net", "ns/pid", "ns/cgroup", "ns/time", "root", "cwd"]
    {
        // Not every kernel has every kind.
        nature.extend(fs::read_link(format!("/proc/{pid}/{link}")).map(|to| to.display().to_string()));
    }
    nature.extend(fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap().lines().map(str::to_owned));
    nature
}

#[test]
fn the_command_is_what_the_target_is() {
    let Some(sandbox) = Sandbox::root() else { return };
    let targets = [
        "unshare-rs -u",
        "setpriv --reuid 7 --regid 8 --groups 9,10 --no-new-privs unshare-rs -c",
        "setpriv --bounding-set -sys_admin,-net_raw --inh-caps -sys_admin,-net_raw",
        "unshare-rs -u setpriv --reuid 7 --regid 8 --clear-groups --inh-caps -all,+net_raw --ambient-caps +net_raw",
        "unshare-rs -a -S 0 -G 0 --map-users 0:300000:10 --map-groups 0:300000:10",
        "unshare-rs -a -S 3 -G 4 --map-users 0:300000:10 --map-groups 0:300000:10",
        "unshare-rs -Ur",
        "unshare-rs -U",
        "unshare-rs -pum pivot rootfs",
        "cgctl new m=64M -- unshare-rs -pumC",
    ];
    each(targets, |line| {
        let target = Target::start(&sandbox, line);
        let job = target.enter(&sandbox, "--like-target -t T cat").stdin_pipe().start();
        let inside = || tests::leak::children(job.pid()).first().copied().unwrap_or(job.pid());
        tests::eventually("the command runs", || tests::leak::name(inside()).as_deref() == Some("cat"));
        assert_eq!(nature(&inside().to_string()), nature(&target.pid), "{line}");
        job.signal(nix::sys::signal::Signal::SIGTERM);
        job.done();
        target.end();
    });
}

#[test]
fn its_user_is_like_it_too() {
    let sandbox = Sandbox::user();
    for line in ["unshare-rs -u -r", "unshare-rs -aUr", "env"] {
        let target = Target::start(&sandbox, line);
        let theirs =
            target.text(&sandbox, "-t T --like-target sh -c id;\u{a0}readlink\u{a0}/proc/self/ns/user");
        let user = fs::read_link(format!("/proc/{}/ns/user", target.pid)).unwrap();
        assert!(theirs.ends_with(user.to_str().unwrap()), "{line}: {theirs}");
    }
}

#[test]
fn its_environment_and_directory_are_taken_over_unless_others_are_named() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "cd /etc; export COLOUR=red; exec probe hold";
    let target = Target::of(&sandbox, sandbox.run("unshare-rs -m sh -c").arg(script));
    let show = "sh -c echo\u{a0}$COLOUR;\u{a0}pwd;\u{a0}id\u{a0}-u";
    assert_eq!(target.text(&sandbox, &format!("-t T --like-target {show}")), "red\n/etc\n0");
    assert_eq!(target.text(&sandbox, &format!("-t T --like-target -S 5 -W/usr {show}")), "red\n/usr\n5");
    assert_eq!(target.text(&sandbox, &format!("-t T --like-target -w/usr {show}")), "red\n/usr\n0");
    target.refused(&sandbox, "-t T --like-target --keep-caps true").says("does not go with");
}

#[test]
fn more_rights_than_the_callers_own_are_not_to_be_had() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -u");
    let poor = "--bounding-set -net_raw --inh-caps -net_raw nsenter-rs --like-target -t T true";
    let outcome = target.with(&sandbox, "setpriv", poor).done().is(125).complains_as("nsenter-rs");
    outcome.says("cannot take over the capabilities of the process").says("more rights");
}
