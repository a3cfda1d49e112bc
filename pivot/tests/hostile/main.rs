//! Roots and programs that want out. Each aims at a canary beside the root and must not reach it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod descriptors;
mod namespace;
mod paths;
mod powers;
mod programs;
mod races;
mod terminal;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tests::Sandbox;

/// A sandbox whose root no other test sees.
fn sandbox() -> Option<Sandbox> {
    Sandbox::root().map(Sandbox::with_own_root)
}

/// A sandbox with an empty directory and a file outside of the root, which must stay as they are.
struct Canary(Sandbox);

impl Canary {
    fn new() -> Option<Self> {
        let sandbox = sandbox()?;
        fs::create_dir(sandbox.path("canary")).unwrap();
        sandbox.file("canary.txt", "alive", 0o644);
        Some(Canary(sandbox))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    /// Ways from the root to the canary that a link can try.
    fn ways(&self) -> [PathBuf; 3] {
        let far = format!("{}{}", "../".repeat(20), self.path("canary").display());
        [self.path("canary"), "../canary".into(), far.into()]
    }

    #[track_caller]
    fn is_alive(&self) {
        assert_eq!(fs::read_dir(self.path("canary")).unwrap().count(), 0, "something was made outside");
        assert_eq!(fs::read(self.path("canary.txt")).unwrap(), b"alive");
    }

    /// Replaces a file or an empty directory of the root by a link.
    fn link(&self, name: &str, target: impl Into<PathBuf>) {
        let path = self.path("rootfs").join(name);
        let _ = fs::remove_dir(&path);
        let _ = fs::remove_file(&path);
        symlink(target.into(), path).unwrap();
    }
}
