//! cgctl's other tests once more, where another version of control groups is all there is.
//!
//! | rig | what is seen | how |
//! |---|---|---|
//! | v1 | version 1 alone | a mount namespace without cgroup2, or User-Mode Linux where this machine has no version 1 |
//! | v2 | version 2 alone: cpu io memory pids | User-Mode Linux |
//! | qemu | the same with cpuset, hugetlb, io.weight, PSI | Debian's kernel in QEMU: `make test-qemu` |
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::cgroup::hierarchies;
use tests::tools::{TOOLS, bin, workspace};

/// Runs each of the executables that are its arguments, and fails when one does.
const EACH: &str = "status=0; for test do \"$test\" || status=1; done; exit $status";

/// The executables of the other test files.
fn executables() -> Vec<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .args(["test", "-p", "cgctl", "--no-run", "--message-format=json", "--quiet"])
        .current_dir(workspace());
    if std::env::current_exe().unwrap().components().any(|part| part.as_os_str() == "release") {
        cargo.arg("--release");
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let executable = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_test = message["target"]["kind"][0] == "test" && message["target"]["name"] != "rigs";
        Some(message["executable"].as_str().filter(|_| is_test)?.into())
    };
    messages.lines().filter_map(executable).collect()
}

/// Runs them all at the end of `line`, whose words `variables` turns `NAME=VALUE` into.
fn pass(world: &str, mut line: Command, patience: &str, variables: impl Fn(&mut Command, String)) {
    let tools = bin(TOOLS[0]).parent().unwrap().to_owned();
    let must_run = if tests::must_run() { "1" } else { "0" };
    for (name, value) in [
        ("CHAIN_TESTS_INSIDE", world),
        ("CHAIN_TESTS_PATIENCE", patience),
        ("CHAIN_TESTS_MUST_RUN", must_run),
        ("CHAIN_BIN_DIR", tools.to_str().unwrap()),
    ] {
        variables(&mut line, format!("{name}={value}"));
    }
    let all = executables();
    let done = line.args(["sh", "-c", EACH, "sh"]).args(&all).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "in there: {}", done.status);
    let passed = text.matches("test result: ok. ").count() - text.matches(" ok. 0 passed").count();
    assert_eq!((passed, all.is_empty()), (all.len(), false), "each has run");
}

/// A guest of `tests/RIG/run`.
fn guest(world: &str, rig: &str, options: &[&str]) {
    let mut line = Command::new(workspace().join("tests").join(rig).join("run"));
    line.arg("-C").arg(workspace()).args(options);
    // One slow processor.
    pass(world, line, "6", |line, variable| {
        line.args(["-e", &variable]);
    });
}

fn has_uml() -> bool {
    let has = Path::new("/usr/bin/linux.uml").exists();
    if !has {
        tests::skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    has
}

#[test]
fn the_same_tests_pass_where_only_version_1_is_seen() {
    if !tests::is_root() {
        return tests::skip("it needs root");
    }
    let all = hierarchies();
    if !all.iter().any(|(_, kind)| kind.split(',').any(|name| name == "memory")) {
        if has_uml() {
            guest("v1", "uml", &["-1", "-t", "1800"]);
        }
        return;
    }
    let mut line = Command::new("unshare");
    line.args(["--mount", "--propagation", "private", "sh", "-euc"]);
    line.arg("for mount in $0; do umount -l \"$mount\"; done; exec env \"$@\"");
    let unified = all.iter().filter(|(_, kind)| kind == "cgroup2").map(|(mount, _)| mount.to_str().unwrap());
    line.arg(unified.collect::<Vec<_>>().join(" "));
    pass("v1", line, "1", |line, variable| {
        line.arg(variable);
    });
}

#[test]
fn the_same_tests_pass_on_pure_version_2() {
    if has_uml() {
        guest("v2", "uml", &["-t", "1800"]);
    }
}

#[test]
#[ignore = "takes minutes, and 26 MB of Debian's kernel: make test-qemu"]
fn the_same_tests_pass_on_the_kernel_of_debian() {
    guest("v2", "qemu", &["-t", "1800"]);
}
