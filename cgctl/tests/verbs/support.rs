//! Groups of one test, in a parent that no other test has.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use tests::{Job, Run, Sandbox, cgroup};

/// Goes out of scope with everything that the test has made.
pub struct Groups {
    pub sandbox: Sandbox,
    parent: String,
}

impl Groups {
    /// `None`, and said so, where no group can be made.
    pub fn new() -> Option<Self> {
        let sandbox = Sandbox::root()?;
        let probe = sandbox.run("cgctl new m=64M pids=9 -- true").done();
        if probe.status != 0 {
            tests::skip(&format!("no group can be made: {}", probe.talk()));
            return None;
        }
        let parent = format!("test-{}", sandbox.name());
        Some(Groups { sandbox, parent })
    }

    /// A command of these words, whose names begin in the parent of this test.
    pub fn run(&self, words: &str) -> Run {
        self.sandbox.run(words).env("CGCTL_PARENT", &self.parent)
    }

    /// The same of `cgctl`.
    pub fn cgctl(&self, words: &str) -> Run {
        self.run(&format!("cgctl {words}"))
    }

    /// The group as a path from the top.
    pub fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.parent)
    }

    /// Its directories, in every hierarchy that has it.
    pub fn directories(&self, name: &str) -> Vec<PathBuf> {
        let path = self.path(name);
        let all = cgroup::hierarchies().into_iter().map(|(top, _)| top.join(&path));
        all.filter(|directory| directory.is_dir()).collect()
    }

    /// The directory that has this controller's files, or `None`.
    pub fn with(&self, name: &str, file: &str) -> Option<PathBuf> {
        self.directories(name).into_iter().map(|directory| directory.join(file)).find(|file| file.exists())
    }

    /// A process that stays in the group until it is killed.
    pub fn hold(&self, name: &str) -> Job {
        let job = self.cgctl(&format!("exec {name} -- probe hold")).start();
        job.until("ready");
        job
    }

    /// The objects of a report, one on each line.
    pub fn objects(&self, words: &str) -> Vec<serde_json::Value> {
        let text = self.cgctl(words).done().is(0).quiet().text();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        let left = self.sandbox.run("cgctl rm --kill --force").arg(format!("/{}", self.parent)).done();
        if !std::thread::panicking() {
            left.is(0).quiet();
            let there = self.directories("");
            assert!(there.is_empty(), "{there:?}");
        }
    }
}

/// One test at a time: where one kills a `cgctl gc`, another's must not be about to rely on it.
pub fn alone() -> impl Sized {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cgroup v2 is mounted.
pub fn has_v2() -> bool {
    cgroup::hierarchies().iter().any(|(_, kind)| kind == "cgroup2")
}
