//! Limits: what a program meets that goes beyond them, and where the kernel keeps them.

use nix::sys::signal::Signal::SIGTERM;
use std::path::PathBuf;
use tests::{Outcome, Sandbox, cgroup, each, eventually, leak};

const CHAIN: &str = "unshare-rs -pum pivot rootfs";

/// Exactly one line, from cgctl, that has all these parts.
fn told_once(outcome: &Outcome, parts: &[&str]) {
    let talk = outcome.talk();
    let ours: Vec<&str> = talk.lines().filter(|line| line.starts_with("cgctl: ")).collect();
    assert_eq!(ours.len(), 1, "{outcome}");
    assert!(parts.iter().all(|part| ours[0].contains(part)), "not all of {parts:?} in\n{outcome}");
}

/// The directories of a group in all hierarchies.
fn directories(name: &str) -> Vec<PathBuf> {
    cgroup::ours().into_iter().filter(|group| group.ends_with(name)).collect()
}

#[test]
fn a_program_that_takes_too_much_memory_is_killed_and_the_reason_is_told() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(["", CHAIN], |links| {
        let run =
            sandbox.run("cgctl new").arg(sandbox.name()).args(["m=64M", "--"]).args(links.split_whitespace());
        let outcome = run.args(["probe", "memhog", "100000000"]).done().is(137);
        assert_eq!(outcome.text(), "");
        told_once(&outcome, &[sandbox.name(), "OOM", "1 process", "m=64M", "peak 64M"]);
        assert!(directories(sandbox.name()).is_empty());
    });
}

#[test]
fn the_reason_is_told_too_when_the_command_survives_its_child() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new m=64M --").args(CHAIN.split(' '));
    let outcome = run.args(["sh", "-c", "probe memhog 100000000 2>/dev/null; echo $?"]).done().is(0);
    assert_eq!(outcome.text(), "137");
    told_once(&outcome, &["OOM", "1 process", "m=64M"]);
}

#[test]
fn a_program_within_its_limits_meets_none_of_them() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new m=64M pids=20 cpu=1 weight=50 --").args(CHAIN.split(' '));
    assert_eq!(run.args(["probe", "memhog", "40000000"]).done().is(0).quiet().text(), "survived 40000000");
}

#[test]
fn what_was_seen_before_does_not_count_against_the_next_group_of_the_same_name() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = |command: &str| {
        sandbox.run("cgctl new").arg(sandbox.name()).args(["m=64M", "--"]).args(command.split(' ')).done()
    };
    run("probe memhog 100000000").is(137);
    run("true").is(0).quiet();
}

#[test]
fn a_fork_bomb_stays_within_pids_and_ends_with_its_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(["", CHAIN], |links| {
        let run = sandbox
            .run("cgctl new")
            .arg(sandbox.name())
            .args(["pids=20", "--"])
            .args(links.split_whitespace());
        let job = run.args(["probe", "forkbomb"]).start();
        job.until("refused");
        let group =
            directories(sandbox.name()).into_iter().find(|group| group.join("pids.max").exists()).unwrap();
        let count = |file| std::fs::read_to_string(group.join(file)).unwrap().trim().parse::<u32>().unwrap();
        let copies = || {
            let names = sandbox.marker().processes().into_iter().filter_map(leak::name);
            names.filter(|name| ["probe", "exe"].contains(&name.as_str())).count()
        };
        eventually("the group is full", || count("pids.current") == 20);
        eventually("all have given up", || job.text().matches("refused").count() == copies());
        job.signal(SIGTERM);
        let outcome = job.done().is(143);
        told_once(&outcome, &["fork was refused", "pids=20"]);
        eventually("the group is gone", || directories(sandbox.name()).is_empty());
        assert!(sandbox.marker().processes().is_empty());
    });
}

#[test]
fn a_busy_loop_is_held_back() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["cpu=0.1", "--"]).args(CHAIN.split(' '));
    let job = run.args(["sh", "-c", "while :; do :; done"]).start();
    eventually("it is throttled", || {
        let throttled = |group: &PathBuf| {
            let stat = std::fs::read_to_string(group.join("cpu.stat")).unwrap_or_default();
            stat.lines().any(|line| line.strip_prefix("nr_throttled ").is_some_and(|count| count != "0"))
        };
        directories(sandbox.name()).iter().any(throttled)
    });
    job.signal(SIGTERM);
    job.done().is(143);
}

/// A setting, and in which file of which version it is found with which text.
type Row = (&'static str, &'static [(&'static str, &'static str)]);

#[test]
fn the_kernel_has_the_limits_that_were_asked_for() {
    let Some(sandbox) = Sandbox::root() else { return };
    let rows: [Row; 9] = [
        ("m=64M", &[("memory.limit_in_bytes", "67108864"), ("memory.max", "67108864")]),
        ("m=1.5G", &[("memory.limit_in_bytes", "1610612736"), ("memory.max", "1610612736")]),
        ("m=max", &[("memory.limit_in_bytes", "9223372036854771712"), ("memory.max", "max")]),
        ("pids=20", &[("pids.max", "20")]),
        ("pids=max", &[("pids.max", "max")]),
        ("cpu=0.5", &[("cpu.cfs_quota_us", "50000"), ("cpu.max", "50000 100000")]),
        ("cpu=150%", &[("cpu.cfs_quota_us", "150000"), ("cpu.max", "150000 100000")]),
        ("weight=200", &[("cpu.shares", "2048"), ("cpu.weight", "200")]),
        ("pids.max=33", &[("pids.max", "33")]),
    ];
    each(rows, |(setting, files)| {
        let job = sandbox.run("cgctl new").arg(sandbox.name()).args([setting, "--", "probe", "hold"]).start();
        job.until("ready");
        let groups = directories(sandbox.name());
        let found: Vec<String> = files
            .iter()
            .flat_map(|(file, wanted)| groups.iter().map(move |group| (group.join(file), *wanted)))
            .filter(|(file, _)| file.exists())
            .map(|(file, wanted)| {
                let text = std::fs::read_to_string(&file).unwrap();
                assert_eq!(text.trim(), wanted, "{setting} in {}", file.display());
                wanted.to_owned()
            })
            .collect();
        assert_eq!(found.len(), 1, "{setting} is in one file of {groups:?}");
        job.signal(SIGTERM);
        job.done().is(143);
    });
}

#[test]
fn a_bad_value_is_refused_before_anything_is_made() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(["m=64X", "cpu=-1", "unknown=1", "weight=0", "pids=ten", "m", "no.such.file=1"], |setting| {
        let run =
            sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=20", setting, "--", "touch", "made"]);
        let outcome = run.done().is(125).complains_as("cgctl");
        assert!(
            outcome.talk().contains(setting.split('=').next().unwrap()),
            "the key is named by\n{outcome}"
        );
        assert!(!sandbox.path("made").exists() && directories(sandbox.name()).is_empty());
    });
}

#[test]
fn a_name_in_use_is_refused() {
    let Some(sandbox) = Sandbox::root() else { return };
    let new = |command: &str| {
        sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=20", "--"]).args(command.split(' '))
    };
    let job = new("probe hold").start();
    job.until("ready");
    new("true").done().is(125).says(sandbox.name()).complains_as("cgctl");
    job.signal(SIGTERM);
    job.done().is(143);
    new("true").done().is(0).quiet();
}

#[test]
fn a_group_that_makes_groups_of_its_own_is_removed_with_them() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "cgctl new m=32M -- probe hold & until [ \"$(cgctl gc)\" ] || sleep 0.1; do :; done; exit 4";
    sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=50", "--", "sh", "-c", script]).done().is(4);
}

#[test]
fn info_is_json_about_this_machine() {
    let sandbox = Sandbox::own();
    let info = sandbox.run("cgctl info --json").done().is(0).quiet();
    assert!(info.json().is_object(), "{info}");
    sandbox.run("cgctl info").done().is(0).quiet();
}
