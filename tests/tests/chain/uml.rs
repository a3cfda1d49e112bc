//! The same tests once more, on a kernel that has nothing but cgroup v2: User-Mode Linux boots this executable.

use std::path::Path;
use std::process::Command;
use tests::tools::{TOOLS, bin, workspace};

/// What depends on the version of control groups, or could.
const AGAIN: [&str; 6] =
    ["pipeline::", "status::", "limits::", "signals::", "crash::", "walkthrough::the_page_of_control_groups"];

#[test]
fn the_same_tests_pass_on_pure_cgroup_v2() {
    if std::env::var_os("CHAIN_TESTS_INSIDE").is_some() {
        return;
    }
    if !Path::new("/usr/bin/linux.uml").exists() {
        return tests::skip("it needs User-Mode Linux: apt-get install user-mode-linux");
    }
    let tools = bin(TOOLS[0]).parent().unwrap().to_owned();
    let mut command = Command::new(workspace().join("tests/uml/run"));
    command.arg("-C").arg(workspace()).args(["-t", "1800", "-m", "1G"]);
    for (name, value) in [
        ("CHAIN_TESTS_INSIDE", "1"),
        // One slow processor.
        ("CHAIN_TESTS_PATIENCE", "6"),
        ("CHAIN_TESTS_MUST_RUN", if tests::must_run() { "1" } else { "0" }),
        ("CHAIN_BIN_DIR", tools.to_str().unwrap()),
    ] {
        command.args(["-e", &format!("{name}={value}")]);
    }
    let done = command.arg("--").arg(std::env::current_exe().unwrap()).args(AGAIN).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "inside: {}", done.status);
    assert!(text.contains("test result: ok. ") && !text.contains(" 0 passed"), "tests have run");
}
