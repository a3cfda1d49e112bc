//! The harness of the whole-chain tests: tools, sandboxes, commands with a time limit, terminals, leak checks.
//!
//! A test makes a [`Sandbox`], runs commands in it, and lets it go out of scope, which fails the test when
//! something was left behind:
//!
//! ```no_run
//! let Some(sandbox) = tests::Sandbox::root() else { return };
//! sandbox.run("cgctl new m=64M -- unshare-rs -pum pivot rootfs probe report").done().is(0);
//! ```
//!
//! | variable | meaning |
//! |---|---|
//! | `CHAIN_BIN_DIR` | the tools to test; without it the workspace is built in the profile of the test |
//! | `CHAIN_TESTS_MUST_RUN=1` | a test that cannot run here fails instead of being skipped |
//! | `CHAIN_TESTS_PATIENCE=N` | every time limit is N times as long, for slow machines |
//! | `CHAIN_TESTS_SEED=N` | repeats the random choices of an earlier run |

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness fails by panicking")]

use std::collections::BTreeSet;
use std::sync::Mutex;

pub mod archive;
pub mod cgroup;
pub mod leak;
pub mod outcome;
pub mod program;
pub mod pty;
pub mod random;
#[allow(unsafe_code)]
pub mod raw;
pub mod run;
pub mod sandbox;
pub mod shared;
pub mod tools;
pub mod wait;

pub use outcome::Outcome;
pub use pty::Pty;
pub use random::Random;
pub use run::{Job, Run};
pub use sandbox::{Sandbox, names};
pub use tools::bin;
pub use wait::{becomes, each, eventually, patience};

/// Says on the real standard error why a test does not run, or fails it with `CHAIN_TESTS_MUST_RUN=1`.
///
/// The line is written past the capture of the test runner, so that it is seen when the test "passes"; once for
/// a test that has several reasons.
pub fn skip(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    assert!(!must_run(), "{test} must run, but: {why}");
    let line = format!("skipped {test}: {why}\n");
    if SAID.lock().unwrap().insert(test) {
        let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
    }
}

/// Whether skips are failures.
pub fn must_run() -> bool {
    std::env::var_os("CHAIN_TESTS_MUST_RUN").is_some_and(|value| value == "1")
}

/// Whether this process may do what root may.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
