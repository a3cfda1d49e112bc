//! The same tests once more in worlds that this machine is not: pure cgroup v2, and v1 alone.

use std::path::Path;
use std::process::{Command, Output};
use tests::tools::{TOOLS, bin, workspace};

/// The variable that says which world it is.
const INSIDE: &str = "CHAIN_TESTS_INSIDE";

/// This is a run in another world already.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this executable's tests on a kernel that has nothing but cgroup v2: User-Mode Linux.
pub fn on_pure_v2() {
    if is_inside() {
        return;
    }
    if !Path::new("/usr/bin/linux.uml").exists() {
        return tests::skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    let mut command = Command::new(workspace().join("tests/uml/run"));
    command.arg("-C").arg(workspace()).args(["-t", "600", "-m", "1G"]);
    for (name, value) in variables("v2") {
        command.args(["-e", &format!("{name}={value}")]);
    }
    check(&command.arg("--").arg(std::env::current_exe().unwrap()).output().unwrap());
}

/// Runs them where the cgroup2 mounts are out of sight.
#[allow(dead_code, reason = "not every executable has tests for it")]
pub fn on_v1_alone() {
    if is_inside() {
        return;
    }
    if !tests::is_root() || !tests::cgroup::hierarchies().iter().any(|(_, kind)| kind != "cgroup2") {
        return tests::skip("it needs root, and hierarchies of cgroup v1");
    }
    let hide =
        "grep ' cgroup2 ' /proc/self/mounts | while read -r _ dir _; do umount \"$dir\"; done; exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-euc", hide, "sh"]);
    command.envs(variables("v1")).arg(std::env::current_exe().unwrap());
    check(&command.output().unwrap());
}

fn variables(world: &str) -> [(&'static str, String); 4] {
    let tools = bin(TOOLS[0]).parent().unwrap().to_owned();
    let slow = if world == "v2" { "6" } else { "1" };
    [
        (INSIDE, world.to_owned()),
        ("CHAIN_TESTS_PATIENCE", slow.to_owned()),
        ("CHAIN_TESTS_MUST_RUN", if tests::must_run() { "1" } else { "0" }.to_owned()),
        ("CHAIN_BIN_DIR", tools.to_string_lossy().into_owned()),
    ]
}

fn check(done: &Output) {
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "inside: {}", done.status);
    assert!(text.contains("test result: ok. ") && !text.contains(" 0 passed"), "tests have run");
}
