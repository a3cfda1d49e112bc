//! Control groups: those of the target are joined, by birth or by a move, and a process is found by its group.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::Target;
use std::fs;
use std::path::PathBuf;
use tests::{Sandbox, cgroup};

/// Groups of one test, one in each hierarchy that can be written to; removed when dropped.
struct Groups(Vec<PathBuf>);

impl Groups {
    fn make(sandbox: &Sandbox) -> Self {
        let name = format!("nsenter-rs-{}", sandbox.name());
        let tops = cgroup::hierarchies().into_iter().filter(|(_, kind)| {
            // A new group of cpuset has no processor, and one of devices is like any other.
            kind == "cgroup2" || kind.split(',').any(|controller| ["freezer", "pids"].contains(&controller))
        });
        let groups: Vec<PathBuf> = tops.map(|(top, _)| top.join(&name)).collect();
        groups.iter().for_each(|group| fs::create_dir(group).unwrap());
        Groups(groups)
    }

    /// A shell's words that move it into all of them.
    fn script(&self) -> String {
        self.0.iter().map(|group| format!("echo $$ >{}/cgroup.procs; ", group.display())).collect()
    }

    fn has_v2(&self) -> bool {
        self.0.iter().any(|group| group.join("cgroup.events").exists())
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in &self.0 {
            tests::eventually("the group is empty", || fs::remove_dir(group).is_ok() || !group.exists());
        }
    }
}

fn groups_of(pid: &str) -> String {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap().trim_end().to_owned()
}

#[test]
fn the_command_is_in_every_group_of_the_target_and_reads_its_own_input() {
    let Some(sandbox) = Sandbox::root() else { return };
    let groups = Groups::make(&sandbox);
    let script = format!("{}exec unshare-rs -pmn --mount-proc probe hold", groups.script());
    let target = Target::of(&sandbox, sandbox.run("sh -euc").arg(script));
    let theirs = groups_of(&target.pid);
    assert_ne!(theirs, groups_of("self"));
    for options in [
        "-t T -c -n",
        "-t T -ca",
        "-t T -c -p -m",
        "-t T --join-cgroup -nF",
        "-t T -c -F -p",
        "-t T -ac -S 7 -G 7",
    ] {
        let line = format!(
            "{options} sh -c cat\u{a0}/proc/self/cgroup;\u{a0}cat;\u{a0}ls\u{a0}-l\u{a0}/proc/self/fd"
        );
        let text = target.enter(&sandbox, &line).stdin(b"typed\n").done().is(0).text();
        assert!(text.starts_with(&format!("{theirs}\ntyped\n")), "{options}: {text}");
        assert!(!text.contains("cgroup.procs") && !text.contains("tasks"), "{options}: {text}");
    }
    // The waiting parent stays where it was.
    let job = target.enter(&sandbox, "-t T -ca cat").stdin_pipe().start();
    tests::eventually("the command runs", || tests::leak::children(job.pid()).len() == 1);
    assert_eq!(groups_of(&job.pid().to_string()), groups_of("self"));
    drop((job, target));
}

#[test]
fn a_child_is_born_into_its_group_of_version_2() {
    let Some(sandbox) = Sandbox::root() else { return };
    let groups = Groups::make(&sandbox);
    if !groups.has_v2() {
        return tests::skip("there is no version 2 hierarchy");
    }
    let script = format!("{}exec unshare-rs -p probe hold", groups.script());
    let target = Target::of(&sandbox, sandbox.run("sh -euc").arg(script));
    let line = "-f -qq -e trace=clone3,write -o calls nsenter-rs -t T -pc true";
    target.with(&sandbox, "strace", line).done().is(0);
    let calls = fs::read_to_string(sandbox.path("calls")).unwrap();
    assert!(calls.contains("CLONE_INTO_CGROUP"), "{calls}");
    drop(target);
}

#[test]
fn a_group_that_may_not_be_joined_is_named() {
    let Some(sandbox) = Sandbox::root() else { return };
    let groups = Groups::make(&sandbox);
    let script = format!(
        "{}exec setpriv --reuid 64323 --regid 64323 --clear-groups unshare-rs -rp probe hold",
        groups.script()
    );
    let target = Target::of(&sandbox, sandbox.run("sh -euc").arg(script));
    for options in ["-t T -ac", "-t T -Uc"] {
        let line = format!("--reuid 64323 --regid 64323 --clear-groups nsenter-rs {options} true");
        let outcome = target.with(&sandbox, "setpriv", &line).done().is(125).complains_as("nsenter-rs");
        outcome.says("cannot join the group /").says("Permission denied").says("run it as root");
    }
    drop(target);
}

#[test]
fn a_hierarchy_that_is_not_mounted_is_named() {
    let Some(sandbox) = Sandbox::root() else { return };
    let groups = Groups::make(&sandbox);
    let script = format!("{}exec unshare-rs -u probe hold", groups.script());
    let target = Target::of(&sandbox, sandbox.run("sh -euc").arg(script));
    let script = format!("umount -l /sys/fs/cgroup; exec nsenter-rs -t {} -uc true", target.pid);
    let outcome = sandbox.run("unshare-rs -m sh -euc").arg(script).done().is(125).complains_as("nsenter-rs");
    outcome.says("hierarchy is not mounted here").says("mount -t cgroup");
    drop(target);
}

#[test]
fn the_oldest_process_of_a_group_is_meant_by_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let groups = Groups::make(&sandbox);
    let script = format!("{}sleep 100 & exec unshare-rs -pum pivot rootfs probe hold", groups.script());
    let target = Target::of(&sandbox, sandbox.run("unshare-rs -u sh -euc").arg(script));
    for group in &groups.0 {
        // The link of the container was there before it.
        let line = format!("--group {} -u readlink /proc/self/ns/uts", group.display());
        let oldest =
            tests::leak::stat(target.pid.parse().map(nix::unistd::Pid::from_raw).unwrap(), 1).unwrap();
        let expected = fs::read_link(format!("/proc/{oldest}/ns/uts")).unwrap();
        assert_eq!(target.text(&sandbox, &line), expected.to_str().unwrap());

        let below = group.join("below");
        fs::create_dir(&below).unwrap();
        let none = target.refused(&sandbox, &format!("--group {} -a true", below.display()));
        none.says("it has none");
        fs::write(below.join("cgroup.procs"), &target.pid).unwrap();
        let name = format!("/nsenter-rs-{}/below", sandbox.name());
        for path in [below.to_str().unwrap(), &name] {
            let uts = target.text(&sandbox, &format!("--group {path} -um -p readlink /proc/self/ns/uts"));
            assert_eq!(
                uts,
                fs::read_link(format!("/proc/{}/ns/uts", target.pid)).unwrap().to_str().unwrap(),
                "{path}"
            );
        }
        fs::write(group.join("cgroup.procs"), &target.pid).unwrap();
        fs::remove_dir(below).unwrap();
    }
    target.refused(&sandbox, "--group /no/such/group -a true").says("cannot find the group /no/such/group");
    drop(target);
}
