//! Scripts in a mount namespace of their own, with a /run of their own: the names of the machine are never touched.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

/// Whether the test can run; a skip says why, and is a failure with CHAIN_TESTS_MUST_RUN=1.
pub fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    let must = std::env::var_os("CHAIN_TESTS_MUST_RUN").is_some_and(|value| value == "1");
    assert!(root || !must, "this test must run, but not as this user: it needs root");
    if !root {
        eprintln!("skipped: it needs root");
    }
    root
}

/// A script with `netns` on its PATH, not started yet.
pub struct World {
    pub command: Command,
    _bin: tempfile::TempDir,
}

impl World {
    /// A script behind the words of `head`.
    pub fn new(head: &[&str], script: &str) -> Self {
        let bin = tempfile::tempdir().unwrap();
        fs::set_permissions(bin.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Not by this process: what a test beside this one starts meanwhile would have it open for writing.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_netns")).arg(bin.path()).status();
        assert!(copied.unwrap().success());
        let mut command = Command::new("timeout");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin.path().display());
        command.args(["-k", "1", "120"]).args(head).args(["sh", "-euc", script]).env("PATH", path);
        World { command, _bin: bin }
    }

    /// As root, with a /run that is shared as systemd has it.
    pub fn root(script: &str) -> Self {
        Self::with_run(&["unshare", "-m"], script)
    }

    /// The same, in a network namespace of its own that has nothing but lo.
    pub fn net(script: &str) -> Self {
        Self::with_run(&["unshare", "-nm"], script)
    }

    /// The same, where no process of others is seen, and so none of their networks.
    pub fn alone(script: &str) -> Self {
        Self::with_run(&["unshare", "-nmpf", "--mount-proc", "--kill-child"], script)
    }

    fn with_run(head: &[&str], script: &str) -> Self {
        Self::new(
            head,
            &format!(
                "while umount -l /run/netns 2>/dev/null; do :; done
                 mount -t tmpfs -o mode=755 t /run; mount --make-shared /run; {script}"
            ),
        )
    }

    /// Runs it to its end.
    pub fn run(mut self) -> Output {
        self.command.output().unwrap()
    }

    /// What the script prints; it must succeed.
    #[track_caller]
    pub fn out(self) -> String {
        let output = self.run();
        assert!(output.status.success(), "{:?}\n{}\n{}", output.status, text(&output.stdout), talk(&output));
        text(&output.stdout).trim_end().to_owned()
    }
}

/// Output as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it said on standard error.
pub fn talk(output: &Output) -> String {
    text(&output.stderr)
}

/// Words that make the rest of the line run as a user without rights.
pub const USER: [&str; 5] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
