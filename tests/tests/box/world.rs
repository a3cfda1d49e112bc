//! A sandbox in which `box` keeps its state, with an image called `small`.

use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;
use tests::{Outcome, Run, Sandbox, eventually};

/// The shells that `box` must run under.
pub const SHELLS: [&str; 2] = ["dash", "busybox sh"];

/// Commands run with a store and a run directory in the sandbox, so that nothing of the machine is touched. Boxes that
/// are left at the end are removed.
#[derive(Debug)]
pub struct World {
    sandbox: Sandbox,
    shell: &'static str,
}

impl World {
    /// For root, under dash; `None`, and said so, when this is not root.
    pub fn dash() -> Option<Self> {
        World::root(SHELLS[0])
    }

    /// For root, under that shell.
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
        let root = self.sandbox.path(root).canonicalize().unwrap();
        self.image_of(name, &[("layers", &format!("{}\n", root.display())), ("cmd", "sh\n")]);
    }

    /// Makes an image of these files.
    pub fn image_of(&self, name: &str, files: &[(&str, &str)]) {
        let image = self.store().join("images").join(name);
        fs::create_dir_all(&image).unwrap();
        for (file, text) in files {
            fs::write(image.join(file), text).unwrap();
        }
        let owner = Some(fs::metadata(self.sandbox.dir()).unwrap().uid());
        for dir in image.ancestors().take(3) {
            chown(dir, owner, owner).unwrap();
        }
    }

    /// Where all of it is.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The directory of what lasts.
    pub fn store(&self) -> PathBuf {
        self.sandbox.path("store")
    }

    /// The directory of what a reboot takes.
    pub fn runs(&self) -> PathBuf {
        self.sandbox.path("runs")
    }

    /// `box` with these words, split at white space.
    pub fn boxed(&self, words: &str) -> Run {
        self.behind("", words)
    }

    /// `box` with these words, started by the words of `prefix`.
    pub fn behind(&self, prefix: &str, words: &str) -> Run {
        let script = bin_dir().join("box");
        self.with_places(self.sandbox.run(&format!("{prefix} {} {} {words}", self.shell, script.display())))
    }

    /// `box run --net none` with these words.
    pub fn run(&self, words: &str) -> Run {
        self.boxed(&format!("run --net none {words}"))
    }

    /// A script in mount and network namespaces of its own, in which `box` is this world's.
    pub fn script(&self, text: &str) -> Run {
        let start = format!("mount -t tmpfs -o mode=755 none /run\n{}\n{text}", self.function());
        self.with_places(self.sandbox.run("unshare-rs -nm sh -euc").arg(start))
    }

    /// The function `box` of a shell.
    pub fn function(&self) -> String {
        format!("box() {{ {} {}/box \"$@\"; }}", self.shell, bin_dir().display())
    }

    /// A command that finds the state of this world.
    pub fn with_places(&self, run: Run) -> Run {
        run.env("BOX_STORE", self.store()).env("BOX_RUN", self.runs())
    }

    /// Starts one in the background, and gives its ID.
    pub fn start(&self, name: &str, script: &str) -> String {
        let run = self.run(&format!("-d --name {name} small sh -c")).arg(script);
        run.done().is(0).quiet().text()
    }

    /// What `box ps -a --json` tells of a box.
    pub fn record(&self, name: &str) -> Value {
        let all = self.boxed("ps -a --json").done().is(0).quiet();
        let text = all.text();
        let mut records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.find(|record| record["name"] == name).unwrap_or_else(|| panic!("no {name}:\n{all}"))
    }

    /// Its state as `box ps` tells it, with the status of one that has ended.
    pub fn state(&self, name: &str) -> String {
        let record = self.record(name);
        let state = record["state"].as_str().unwrap();
        if state == "exited" { format!("exited {}", record["code"]) } else { state.to_owned() }
    }

    /// Waits until the log of a box has that in it.
    pub fn until_log(&self, name: &str, part: &str) {
        let log = self.store().join("names").join(name).join("log");
        eventually(&format!("{part} is in the log"), || {
            fs::read_to_string(&log).is_ok_and(|text| text.contains(part))
        });
    }

    /// The process that stands for a box.
    pub fn owner(&self, name: &str) -> Pid {
        let line = fs::read_to_string(self.runs().join(name).join("owner")).unwrap();
        Pid::from_raw(line.split(' ').next().unwrap().parse().unwrap())
    }

    /// The names of the boxes.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.store().join("names")).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// Asserts that there is no box, nor a part of one.
    #[track_caller]
    pub fn is_empty(&self) {
        let left: Vec<String> = [self.store().join("boxes"), self.store().join("names"), self.runs()]
            .iter()
            .flat_map(|dir| tests::names(dir))
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for name in self.names() {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| -> Outcome {
                self.boxed("rm -f").arg(name).done()
            }));
        }
    }
}

fn bin_dir() -> PathBuf {
    tests::shared::Shared::get().bin()
}
