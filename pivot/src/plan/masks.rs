//! What is hidden or read-only on top of all mounts.

use std::path::{Path, PathBuf};

/// Changes to the default lists. All paths are absolute and have no `..` in them.
#[derive(Debug, Default)]
pub struct Masks {
    /// Hidden too.
    pub hidden: Vec<PathBuf>,
    /// Read-only too.
    pub read_only: Vec<PathBuf>,
    /// Nothing of the default lists is hidden or read-only here or below.
    pub off: Vec<PathBuf>,
}

impl Masks {
    /// Whether the default for `name` below `top` is to be left out.
    pub fn is_off_at(&self, top: &str, name: &str) -> bool {
        !self.off.is_empty() && self.off.iter().any(|off| Path::new(top).join(name).starts_with(off))
    }
}
