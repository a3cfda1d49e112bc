//! Two layers to lay over one another.

use std::fs;
use tests::Sandbox;

/// A sandbox with two layers, `a` and `b`, and a root that no other test sees.
pub fn sandbox() -> Option<Sandbox> {
    let sandbox = Sandbox::root()?.with_own_root();
    for name in ["a", "b", "a/inner", "b/inner"] {
        fs::create_dir(sandbox.path(name)).unwrap();
    }
    for name in ["a/file", "b/file", "a/a", "b/b"] {
        sandbox.file(name, name, 0o644);
    }
    Some(sandbox)
}
