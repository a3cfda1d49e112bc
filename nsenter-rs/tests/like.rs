//! `--like-target`: whatever a process is, the command is too.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use std::fs;
use tests::{Sandbox, each};

/// What a process is made of, as the host sees it: ids, groups, capabilities, no_new_privs, namespaces, root, control
/// groups, resource limits.
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
    for file in ["cgroup", "limits"] {
        nature.extend(fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap().lines().map(str::to_owned));
    }
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
        "prlimit --nofile=9:12 --core=5 --nproc=60:600 --stack=1000000:2000000 unshare-rs -a",
        "prlimit --nofile=500:600 --memlock=4096:8192 --as=200000000:300000000 unshare-rs -aUr",
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
fn no_limit_is_above_what_the_caller_may_have() {
    let user = Sandbox::user();
    let target = Target::start(&user, "prlimit --nofile=50:90 unshare-rs -aUr");
    let line = "--nofile=40:60 nsenter-rs --like-target -t T sh -c ulimit\u{a0}-n;ulimit\u{a0}-Hn";
    let limits = |caller: &Sandbox| target.with(caller, "prlimit", line).done().is(0).quiet().text();
    assert_eq!(limits(&user), "50\n60");
    let Some(root) = Sandbox::root() else { return };
    // Root of a container need not have CAP_SYS_RESOURCE.
    let may_raise = root.run("prlimit --nofile=40:60 prlimit --nofile=40:90 true").done().status == 0;
    assert_eq!(limits(&root), if may_raise { "50\n90" } else { "50\n60" });
}

#[test]
fn signals_can_be_put_back_to_their_defaults() {
    let sandbox = Sandbox::user();
    let ignored = |words: &str| {
        let look = format!("exec nsenter-rs -t $$ {words} -W/ grep SigIgn /proc/self/status");
        let run = sandbox.run("sh -c").arg(format!("trap '' HUP INT QUIT; {look}"));
        let text = run.done().is(0).quiet().text();
        u64::from_str_radix(text.trim_start_matches("SigIgn:").trim(), 16).unwrap()
    };
    assert_eq!(ignored("") & 7, 7);
    for words in ["--default-signals", "--default-signals --like-target", "--default-signals --pty"] {
        assert_eq!(ignored(words), 0, "{words}");
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

#[test]
fn another_user_of_the_targets_root_has_what_that_user_could_have_there() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target =
        Target::start(&sandbox, "unshare-rs -pumin pivot --confine --env CHAIN_TEST --user 7 rootfs");
    let look = "id -u; id -g; echo $HOME; grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status";
    let tells = |words: &str| {
        let run = target.enter(&sandbox, &format!("--like-target {words} -t T sh -c")).arg(look);
        run.done().is(0).quiet().text().replace('\t', " ").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (all, none) = ("00000000800405fb", "0000000000000000");
    let rows = [
        ("", "7", "0", "/", none),
        ("--as root", "0", "0", "/root", all),
        ("--as 0:5", "0", "5", "/root", all),
        ("--as nobody", "65534", "65534", "/nonexistent", none),
        ("--as 9", "9", "0", "/", none),
    ];
    each(rows, |(words, user, group, home, effective)| {
        let rights = [format!("CapEff: {effective}"), format!("CapBnd: {all}"), "NoNewPrivs: 1".to_owned()];
        let who = [user, group, home].map(str::to_owned);
        assert_eq!(tells(words), [who, rights].concat(), "{words}");
    });
    target.enter(&sandbox, "--like-target --as nosuch -t T true").done().is(125).complains_as("nsenter-rs");
    target.enter(&sandbox, "--as : -t T true").done().is(125);
    target.enter(&sandbox, "--as root -S 0 -t T true").done().is(125);
    target.end();
}

#[test]
fn variables_are_set_over_those_of_the_target() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(&sandbox, "unshare-rs -pum pivot --env A=target rootfs");
    let line = "--like-target --set-env A=mine --set-env B= --set-env A=last -t T sh -c";
    let done = target.enter(&sandbox, line).arg("echo $A$B.${B+set}").done().is(0).quiet();
    assert_eq!(done.text(), "last.set");
    for wrong in ["A", "=x", ""] {
        target.enter(&sandbox, "--set-env").args([wrong, "-t", &target.pid, "-a", "true"]).done().is(125);
    }
    target.end();
}

#[test]
fn a_filter_of_system_calls_can_be_given_that_the_target_has() {
    let Some(sandbox) = Sandbox::root() else { return };
    let target = Target::start(
        &sandbox,
        "unshare-rs -pumin pivot --confine --env CHAIN_TEST --seccomp-deny getppid --seccomp-save saved rootfs",
    );
    // getppid
    let attempt = |words: &str| {
        target.enter(&sandbox, &format!("{words} -t T probe try call 110")).done().is(0).quiet().text()
    };
    assert_eq!(attempt("--like-target --seccomp saved"), "EPERM");
    assert_ne!(attempt("--like-target"), "EPERM");
    assert_eq!(attempt("-a --seccomp saved"), "EPERM");
    sandbox.file("short", "1234567", 0o644);
    for file in ["short", "/dev/null", "no-such"] {
        let run = target.enter(&sandbox, &format!("-a --seccomp {file} -t T true"));
        run.done().is(125).says("as a seccomp filter").complains_as("nsenter-rs");
    }
    target.end();
}
