//! A directory with a root file system and the tools, in which one test plays.

use crate::leak::{self, Before, Marker};
use crate::program;
use crate::run::Run;
use crate::shared::{NOBODY_ELSE, Shared, give_all, make_root};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Commands run in its directory, with the tools first in PATH and a `rootfs` of busybox and `probe` beside them.
///
/// The root directory is shared by all sandboxes of the user, so a test that changes it makes its
/// [own](Sandbox::make_root). When a sandbox goes out of scope, whatever a command has left behind fails the test,
/// and is removed.
#[derive(Debug)]
pub struct Sandbox {
    dir: TempDir,
    marker: Marker,
    user: Option<u32>,
    before: Before,
}

impl Sandbox {
    /// For root; `None`, and said so, when this is not root.
    pub fn root() -> Option<Self> {
        if !crate::is_root() {
            crate::skip("it needs root");
            return None;
        }
        Some(Sandbox::new(None))
    }

    /// For a user without rights: the caller, or a made-up uid when the caller is root.
    pub fn user() -> Self {
        Sandbox::new(crate::is_root().then_some(NOBODY_ELSE))
    }

    /// For whoever runs the tests.
    pub fn own() -> Self {
        Sandbox::new(None)
    }

    fn new(user: Option<u32>) -> Self {
        let shared = Shared::get();
        let before = Before::note();
        let dir = tempfile::Builder::new().prefix("test-").tempdir_in(shared.dir()).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        chown(dir.path(), user, user).unwrap();
        symlink(shared.root(user), dir.path().join("rootfs")).unwrap();
        let name =
            [shared.dir(), dir.path()].map(|dir| dir.file_name().unwrap().to_string_lossy().into_owned());
        Sandbox { dir, marker: Marker::new(&name.join(".")), user, before }
    }

    /// With a root directory that no other test sees, to be changed.
    pub fn with_own_root(self) -> Self {
        fs::remove_file(self.path("rootfs")).unwrap();
        self.make_root("rootfs");
        self
    }

    /// Makes a root directory that no other test sees.
    pub fn make_root(&self, name: &str) {
        make_root(&self.path(name));
        give_all(&self.path(name), self.user);
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A path in its directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A name that no other test uses.
    pub fn name(&self) -> &str {
        self.marker.value()
    }

    /// What marks the processes of this sandbox.
    pub fn marker(&self) -> &Marker {
        &self.marker
    }

    /// Writes a file that its user owns, with these permission bits.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path(name);
        if mode & 0o111 == 0 {
            fs::write(&path, content).unwrap();
        } else {
            program::write(&path, content.as_ref());
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        chown(&path, self.user, self.user).unwrap();
        path
    }

    /// A command of these words, split at white space; more by [`Run::arg`].
    pub fn run(&self, words: &str) -> Run {
        let argv: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        let bin = Shared::get().bin();
        let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
        let run = Run::new(argv, self.dir(), self.user, &self.marker);
        run.env("PATH", path).env("HOME", self.dir()).env("LANG", "C")
    }

    /// The only process of this sandbox whose program has this name.
    #[track_caller]
    pub fn inner(&self, name: &str) -> Pid {
        let all = self.marker.processes();
        let found: Vec<Pid> =
            all.iter().copied().filter(|pid| leak::name(*pid).as_deref() == Some(name)).collect();
        assert_eq!(found.len(), 1, "one {name} among\n{}", leak::describe(&all));
        found[0]
    }

    /// A command of the host's shell.
    pub fn shell(&self, script: &str) -> Run {
        self.run("sh -euc").arg(script)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let places = [self.dir(), Shared::get().root(self.user)];
        let left = self.before.left_by(&self.marker, &places);
        leak::kill_all(&self.marker);
        // The directory is about to be removed, and what a forgotten mount shows must not be removed with it.
        for mount in places.iter().flat_map(|place| leak::mounts_below(place)).rev() {
            let _ = Command::new("umount").arg("-l").arg(mount).status();
        }
        if !std::thread::panicking() {
            assert!(left.is_empty(), "the test has left behind:\n{}", left.join("\n"));
        }
    }
}

/// All names below a directory, sorted, as a leftover would be one; none when there is no such directory.
pub fn names(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().map(Result::unwrap) {
        found.push(entry.path().display().to_string());
        if entry.file_type().unwrap().is_dir() {
            found.extend(names(&entry.path()));
        }
    }
    found.sort();
    found
}
