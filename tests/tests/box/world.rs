//! A sandbox in which `box` keeps its state, with an image called `small`.

use std::fs;
use std::path::PathBuf;
use tests::tools::workspace;
use tests::{Run, Sandbox};

/// The shells that `box` must run under.
pub const SHELLS: [&str; 2] = ["dash", "busybox sh"];

/// Commands run with a store and a run directory in the sandbox, so that nothing of the machine is touched.
#[derive(Debug)]
pub struct World {
    sandbox: Sandbox,
    shell: &'static str,
}

impl World {
    /// For root; `None`, and said so, when this is not root.
    pub fn root(shell: &'static str) -> Option<Self> {
        let world = World { sandbox: Sandbox::root()?, shell };
        world.image("small", "rootfs");
        Some(world)
    }

    /// For an ordinary user, without an image.
    pub fn user(shell: &'static str) -> Self {
        World { sandbox: Sandbox::user(), shell }
    }

    /// Makes an image of the one layer `root`, a directory of the sandbox.
    pub fn image(&self, name: &str, root: &str) {
        let image = self.store().join("images").join(name);
        fs::create_dir_all(&image).unwrap();
        fs::write(image.join("layers"), format!("{}\n", self.sandbox.path(root).display())).unwrap();
        fs::write(image.join("cmd"), "sh\n").unwrap();
    }

    pub fn store(&self) -> PathBuf {
        self.sandbox.path("store")
    }

    pub fn runs(&self) -> PathBuf {
        self.sandbox.path("runs")
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// `box` with these words, split at white space.
    pub fn boxed(&self, words: &str) -> Run {
        let script = workspace().join("shell-scripts/box");
        let line = format!("{} {} {words}", self.shell, script.display());
        self.with_places(self.sandbox.run(&line))
    }

    /// A command that finds the state of this world.
    pub fn with_places(&self, run: Run) -> Run {
        run.env("BOX_STORE", self.store()).env("BOX_RUN", self.runs())
    }
}
