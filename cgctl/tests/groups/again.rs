//! The same tests once more: in a mount namespace that shows v1 alone, and on a kernel that has v2 alone.

use std::path::Path;
use std::process::{Command, Output};
use tests::tools::{bin, workspace};
use tests::{cgroup, is_root, must_run, skip};

/// Set for the second run, which must not start a third.
const INSIDE: &str = "CHAIN_TESTS_INSIDE";

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn tools() -> String {
    bin("cgctl").parent().unwrap().to_str().unwrap().to_owned()
}

fn check(done: &Output) {
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "inside: {}", done.status);
    assert!(text.contains("test result: ok. ") && !text.contains(" 0 passed"), "tests have run");
}

#[test]
fn on_cgroup_v1_alone() {
    if is_inside() {
        return;
    }
    let all = cgroup::hierarchies();
    let v2: Vec<_> = all.iter().filter(|(_, kind)| kind == "cgroup2").map(|(top, _)| top).collect();
    if !is_root() || v2.len() == all.len() || v2.is_empty() {
        return skip("it needs root, and both versions to be mounted");
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c"]);
    command.arg("umount -l -- \"$1\"; shift; exec \"$@\"").arg("sh").args(v2);
    command.arg(std::env::current_exe().unwrap()).env(INSIDE, "1").env("CHAIN_BIN_DIR", tools());
    check(&command.output().unwrap());
}

#[test]
fn on_cgroup_v2_alone() {
    if is_inside() {
        return;
    }
    if !Path::new("/usr/bin/linux.uml").exists() {
        return skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    let mut command = Command::new(workspace().join("tests/uml/run"));
    command.arg("-C").arg(workspace()).args(["-t", "600", "-m", "1G"]);
    for (name, value) in [
        (INSIDE, "1"),
        // One slow processor.
        ("CHAIN_TESTS_PATIENCE", "6"),
        ("CHAIN_TESTS_MUST_RUN", if must_run() { "1" } else { "0" }),
        ("CHAIN_BIN_DIR", &tools()),
    ] {
        command.args(["-e", &format!("{name}={value}")]);
    }
    check(&command.arg("--").arg(std::env::current_exe().unwrap()).output().unwrap());
}
