//! What the limits did is told, and whose limit it was.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use tests::{Outcome, Sandbox, cgroup, each};

/// Files of a group that sets its own limit off, in both versions. `$1` is the name.
const UNLIMIT: &str = "for d in /sys/fs/cgroup/memory /sys/fs/cgroup; do \
    for g in $(find $d -type d -name \"$1\" 2>/dev/null); do \
      for f in memory.memsw.limit_in_bytes memory.limit_in_bytes; do [ ! -e $g/$f ] || echo -1 >$g/$f; done; \
      [ ! -e $g/memory.max ] || echo max >$g/memory.max; \
    done; done";

/// The lines of cgctl about the group `name`, or about groups without one.
fn told(outcome: &Outcome, name: &str) -> Vec<String> {
    let start = format!("cgctl: {name}");
    outcome.talk().lines().filter(|line| line.starts_with(&start)).map(str::to_owned).collect()
}

#[test]
fn each_victim_is_counted_though_the_command_ends_well() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "for i in 1 2 3; do probe memhog 60000000; done; exit 0";
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=32M", "--", "sh", "-c", script]);
    let outcome = run.done().is(0);
    let expected = "the OOM killer ended 3 processes: the limit m=32M was reached (peak ";
    let lines = told(&outcome, sandbox.name());
    assert!(lines.len() == 1 && lines[0].contains(expected), "{outcome}");
}

#[test]
fn a_group_that_is_killed_as_a_whole_is_told_without_a_number() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=32M", "oom.group=1", "--", "sh", "-c"]);
    let outcome = run.arg("sleep 60 & probe memhog 60000000; exit 0").done();
    if cgroup::hierarchies().iter().any(|(_, kind)| kind.contains("memory")) {
        // Version 1 has no such key.
        outcome.is(125).complains_as("cgctl");
        return;
    }
    let lines = told(&outcome, sandbox.name());
    let expected = "the OOM killer ended the whole group: the limit m=32M was reached (peak ";
    assert!(outcome.status == 137 && lines.len() == 1 && lines[0].contains(expected), "{outcome}");
}

#[test]
fn the_limit_of_a_group_around_is_named_with_the_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=32M", "--"]);
    let outcome = run.args("cgctl new m=64M -- probe memhog 60000000".split(' ')).done().is(137);
    let expected =
        format!("the limit m=32M of the group /cgctl/{} around it was reached (peak ", sandbox.name());
    let lines = told(&outcome, "run-");
    assert!(lines.len() == 1 && lines[0].contains(&expected), "{outcome}");
}

#[test]
fn the_limit_of_a_group_within_is_told_by_both() {
    let Some(sandbox) = Sandbox::root() else { return };
    let inner = format!("{}-in", sandbox.name());
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=200M", "--", "cgctl", "new", &inner]);
    let outcome = run.args(["m=32M", "--", "probe", "memhog", "60000000"]).done().is(137);
    let lines = told(&outcome, &format!("{}-in: ", sandbox.name()));
    assert!(lines.len() == 1 && lines[0].contains("the limit m=32M was reached"), "{outcome}");
    // Version 1 has forgotten it with the group.
    let outer = told(&outcome, &format!("{}: ", sandbox.name()));
    assert!(outer.iter().all(|line| line.contains("a limit that the command has set within")), "{outcome}");
}

#[test]
fn what_a_group_around_has_met_before_is_not_blamed_on_it() {
    let Some(sandbox) = Sandbox::root() else { return };
    let middle = format!("{}-middle", sandbox.name());
    let script = format!(
        "probe memhog 60000000; set -- {middle}; {UNLIMIT}; exec cgctl new m=120M -- probe memhog 100000000"
    );
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["m=64M", "--"]);
    let outcome = run.args(["cgctl", "new", &middle, "m=32M", "--", "sh", "-c", &script]).done().is(137);
    let expected = format!("the limit m=64M of the group /cgctl/{} around it was reached", sandbox.name());
    let lines = told(&outcome, "run-");
    assert!(lines.len() == 1 && lines[0].contains(&expected), "{outcome}");
}

#[test]
fn refused_forks_are_told_with_the_limit() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "sleep 60 & sleep 60 & sleep 60 & sleep 60 & wait";
    let run = sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=3", "--", "sh", "-c", script]);
    let lines = told(&run.done(), sandbox.name());
    assert_eq!(lines, [format!("cgctl: {}: fork was refused 1 time at pids=3", sandbox.name())]);
}

#[test]
fn forks_refused_by_a_group_around_are_told_with_the_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = "sleep 60 & sleep 60 & sleep 60 & sleep 60 & wait";
    // The inner cgctl is one of the four.
    let run =
        sandbox.run("cgctl new").arg(sandbox.name()).args(["pids=4", "--", "cgctl", "new", "pids=50", "--"]);
    let outcome = run.args(["sh", "-c", script]).done();
    let lines = told(&outcome, "run-");
    let (limit, group) = ("at pids=4", format!("the group /cgctl/{} around it", sandbox.name()));
    assert!(lines.len() == 1 && lines[0].contains(limit) && lines[0].contains(&group), "{outcome}");
}

#[test]
fn nothing_is_told_of_what_did_not_happen() {
    let Some(sandbox) = Sandbox::root() else { return };
    each(["m=64M pids=20", "m=64M cpu=0.5 weight=50", ""], |words| {
        let run =
            sandbox.run("cgctl new").args(words.split_whitespace()).args(["--", "sh", "-c", "true; exit 4"]);
        run.done().is(4).quiet();
    });
}

#[test]
fn a_closed_standard_error_leaves_no_group() {
    let Some(sandbox) = Sandbox::root() else { return };
    let script = format!(
        "{{ cgctl new {} --report text m=32M -- sh -c 'exec 2>/dev/null; sleep 0.2; probe memhog 60000000'; }} 2>&1 | true; \
         cgctl gc; cgctl gc",
        sandbox.name()
    );
    let outcome = sandbox.run("sh -c").arg(script).done().is(0);
    assert!(!outcome.text().contains(sandbox.name()), "it was removed, not left for gc: {outcome}");
}
