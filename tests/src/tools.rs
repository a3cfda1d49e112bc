//! Where the programs under test are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Every program of the workspace, the payload last.
pub const TOOLS: [&str; 5] = ["unshare-rs", "nsenter-rs", "pivot", "cgctl", "netns"];

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A program of this project: one of [`TOOLS`], or `probe`, the payload that is built with the tests.
///
/// Cargo builds only the binaries of the package whose tests it runs. The others are built once per process,
/// unless `CHAIN_BIN_DIR` names them.
pub fn bin(name: &str) -> PathBuf {
    let dir = if name == "probe" { built() } else { tools() };
    dir.join(name).canonicalize().unwrap_or_else(|e| panic!("{name} in {}: {e}", dir.display()))
}

fn tools() -> PathBuf {
    static TOOLS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = TOOLS.get_or_init(|| match std::env::var_os("CHAIN_BIN_DIR") {
        Some(dir) => workspace().join(&dir).canonicalize().ok(),
        None => build(),
    });
    found.clone().expect("CHAIN_BIN_DIR must be a directory, or the workspace must build")
}

/// `target/TRIPLE/PROFILE`: two levels above the running test, `target/TRIPLE/PROFILE/deps/chain-0123`.
fn built() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.parent().and_then(Path::parent).unwrap().to_owned()
}

fn build() -> Option<PathBuf> {
    let dir = built();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(workspace());
    if dir.file_name() == Some(OsStr::new("release")) {
        cargo.arg("--release");
    }
    cargo.status().is_ok_and(|status| status.success()).then_some(dir)
}
