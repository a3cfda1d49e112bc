//! A group that stays, removed at the end of its test without the help of the tool under test.

use std::fs;
use std::path::{Path, PathBuf};
use tests::wait::becomes;
use tests::{Run, Sandbox, cgroup};

/// A group of a test, by its name, in a directory called `cgctl` or anywhere.
pub struct Kept<'a> {
    pub sandbox: &'a Sandbox,
    pub name: String,
}

impl<'a> Kept<'a> {
    /// The name of a group that is not there yet.
    pub fn name(sandbox: &'a Sandbox) -> Self {
        Kept { sandbox, name: sandbox.name().to_owned() }
    }

    /// Makes it.
    #[track_caller]
    pub fn new(sandbox: &'a Sandbox, words: &str) -> Self {
        let kept = Kept::name(sandbox);
        kept.run("new", words).done().is(0).quiet();
        kept
    }

    /// `cgctl VERB NAME WORDS`
    pub fn run(&self, verb: &str, words: &str) -> Run {
        self.sandbox.run("cgctl").arg(verb).arg(&self.name).args(words.split_whitespace())
    }

    /// What `cgctl get` prints of a key.
    #[track_caller]
    pub fn get(&self, key: &str) -> String {
        self.run("get", key).done().is(0).quiet().text()
    }

    /// Its directories.
    pub fn directories(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for (top, _) in cgroup::hierarchies() {
            walk(&top, &mut |dir| found.extend(dir.ends_with(&self.name).then(|| dir.to_owned())));
        }
        found
    }

    /// The text of a file that it has in some hierarchy.
    pub fn file(&self, name: &str) -> Option<String> {
        let found = self.directories().into_iter().map(|dir| dir.join(name)).find(|file| file.exists())?;
        Some(fs::read_to_string(found).unwrap().trim().to_owned())
    }

    /// The same where the versions have different names for it.
    #[track_caller]
    pub fn either(&self, v2: &str, v1: &str) -> String {
        self.file(v2).or_else(|| self.file(v1)).unwrap_or_else(|| panic!("neither {v2} nor {v1}"))
    }
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        for dir in self.directories() {
            let gone = becomes(tests::patience(30), || remove(&dir));
            if !std::thread::panicking() {
                assert!(gone, "{} cannot be removed", dir.display());
            }
        }
    }
}

fn walk(dir: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            visit(&entry.path());
            walk(&entry.path(), visit);
        }
    }
}

fn remove(top: &Path) -> bool {
    let mut all = vec![top.to_owned()];
    walk(top, &mut |dir| all.push(dir.to_owned()));
    for dir in &all {
        for pid in fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default().lines() {
            let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
    all.sort();
    all.iter().rev().for_each(|dir| drop(fs::remove_dir(dir)));
    let parent = top.parent().unwrap();
    if parent.ends_with("cgctl") {
        let _ = fs::remove_dir(parent);
    }
    !top.exists()
}
