//! Paths resolved inside the root, whatever symbolic links it holds, and mount points made there.

mod made;

pub use made::{Made, Undo, set_mode};

use crate::plan::Lookup;
use chain::within::{open_as, resolve};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, mkdirat, mknodat, readlinkat};
use rustix::io::{Errno, Result};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// As many as the kernel follows, path_resolution(7).
const MAX_LINKS: usize = 40;

/// Opens `path` of the root (O_PATH): no symbolic link, `..` or magic link of /proc leads out of it.
pub fn open(root: BorrowedFd<'_>, path: &Path, lookup: Lookup) -> Result<OwnedFd> {
    match lookup {
        Lookup::Followed => open_as(root, path, OFlags::PATH),
        Lookup::Plain => resolve(root, path, OFlags::PATH | OFlags::DIRECTORY, ResolveFlags::NO_SYMLINKS),
    }
}

/// Makes what is missing of `path`: directories, and at its end a directory or an empty file. What was made is
/// added to `made`, also when it fails half-way. Each step starts at the root again and is confined to it, so
/// that a directory that is exchanged for a link meanwhile leads nowhere else. A link to nothing is followed: its
/// target is made, inside the root.
pub fn make(
    root: BorrowedFd<'_>,
    path: &Path,
    lookup: Lookup,
    kind: FileType,
    made: &mut Vec<Made>,
) -> Result<()> {
    Walk::new(root, path, lookup).go(&mut |parent, name, is_last| {
        let kind = if is_last { kind } else { FileType::Directory };
        made.extend(make_one(parent, name, kind)?);
        Ok(())
    })?;
    Ok(())
}

/// The path without links that [`make`] would end at: nothing is made.
pub fn follow(root: BorrowedFd<'_>, path: &Path, lookup: Lookup) -> Result<PathBuf> {
    Walk::new(root, path, lookup).go(&mut |_, _, _| Ok(()))
}

/// What is done about a name that is missing in the directory given; whether it is the last one comes with it.
type Missing<'a> = &'a mut dyn FnMut(OwnedFd, OsString, bool) -> Result<()>;

/// Links are followed by hand, so that `done` has none and a `..` is its parent: the kernel's own `..` would lead
/// from what lies beneath a mount into the mount.
struct Walk<'a> {
    root: BorrowedFd<'a>,
    lookup: Lookup,
    done: PathBuf,
    ahead: VecDeque<OsString>,
    links: usize,
}

impl<'a> Walk<'a> {
    fn new(root: BorrowedFd<'a>, path: &Path, lookup: Lookup) -> Self {
        Walk { root, lookup, done: PathBuf::new(), ahead: parts(path).collect(), links: 0 }
    }

    fn go(mut self, missing: Missing<'_>) -> Result<PathBuf> {
        while let Some(name) = self.ahead.pop_front() {
            if name == ".." {
                self.done.pop();
            } else {
                self.step(name, missing)?;
            }
        }
        Ok(self.done)
    }

    fn step(&mut self, name: OsString, missing: Missing<'_>) -> Result<()> {
        let parent = match open(self.root, &Path::new(".").join(&self.done), self.lookup) {
            Err(Errno::NOENT) => {
                self.done.push(name);
                return Ok(());
            }
            opened => opened?,
        };
        match readlinkat(&parent, &name, Vec::new()) {
            Ok(target) => return self.follow(Path::new(OsStr::from_bytes(target.as_bytes()))),
            Err(Errno::INVAL) => self.done.push(name),
            Err(Errno::NOENT) => {
                self.done.push(&name);
                missing(parent, name, self.ahead.is_empty())?;
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn follow(&mut self, target: &Path) -> Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS || self.lookup == Lookup::Plain {
            return Err(Errno::LOOP);
        }
        if target.is_absolute() {
            self.done.clear();
        }
        self.ahead = parts(target).chain(self.ahead.drain(..)).collect();
        Ok(())
    }
}

fn make_one(parent: OwnedFd, name: OsString, kind: FileType) -> Result<Option<Made>> {
    let (result, flags) = match kind {
        FileType::Directory => (mkdirat(&parent, &name, Mode::from(0o755)), AtFlags::REMOVEDIR),
        _ => (mknodat(&parent, &name, FileType::RegularFile, Mode::from(0o644), 0), AtFlags::empty()),
    };
    match result {
        Ok(()) => Ok(Some(Made::Entry { parent, name, flags })),
        Err(Errno::EXIST) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The names and the `..` of a path.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, openat};
    use std::fs;
    use std::os::fd::AsFd;
    use std::os::unix::fs::symlink;

    /// A scratch root beside a directory `outside` that nothing may enter.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("pivot-inside-{name}-{}", std::process::id()));
            fs::create_dir_all(dir.join("root")).unwrap();
            fs::create_dir(dir.join("outside")).unwrap();
            Scratch(dir)
        }

        fn make(&self, path: &str, kind: FileType) -> (Result<()>, Vec<Made>) {
            let root = openat(CWD, self.root(""), OFlags::PATH, Mode::empty()).unwrap();
            let mut made = Vec::new();
            let result = make(root.as_fd(), Path::new(path), Lookup::Followed, kind, &mut made);
            (result, made)
        }

        fn root(&self, path: &str) -> PathBuf {
            self.0.join("root").join(path)
        }

        fn outside_is_empty(&self) -> bool {
            fs::read_dir(self.0.join("outside")).unwrap().next().is_none()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn missing_parts_are_made_and_removed_again() {
        let scratch = Scratch::new("plain");
        let (result, made) = scratch.make("a/b/file", FileType::RegularFile);
        assert_eq!(result, Ok(()));
        assert!(scratch.root("a/b/file").is_file());
        assert_eq!(made.len(), 3);
        made.into_iter().rev().for_each(Made::undo);
        assert!(!scratch.root("a").exists());
    }

    #[test]
    fn absolute_links_and_links_to_nothing_stay_inside() {
        let scratch = Scratch::new("links");
        fs::create_dir(scratch.root("var")).unwrap();
        symlink("/run", scratch.root("var/run")).unwrap();
        symlink("../run/../run/./resolv", scratch.root("var/resolv.conf")).unwrap();
        assert_eq!(scratch.make("var/run/x", FileType::Directory).0, Ok(()));
        assert_eq!(scratch.make("var/resolv.conf", FileType::RegularFile).0, Ok(()));
        assert!(scratch.root("run/x").is_dir() && scratch.root("run/resolv").is_file());
    }

    #[test]
    fn no_link_leads_outside() {
        let scratch = Scratch::new("outside");
        symlink(scratch.0.join("outside"), scratch.root("absolute")).unwrap();
        symlink("../outside", scratch.root("relative")).unwrap();
        symlink("../../../../../../outside", scratch.root("far")).unwrap();
        for path in ["absolute/x", "relative/x", "far/x"] {
            assert_eq!(scratch.make(path, FileType::Directory).0, Ok(()), "{path}");
        }
        assert!(scratch.outside_is_empty());
        assert!(scratch.root("outside/x").is_dir());
    }

    #[test]
    fn rings_of_links_end() {
        let scratch = Scratch::new("rings");
        symlink("b", scratch.root("a")).unwrap();
        symlink("a", scratch.root("b")).unwrap();
        symlink("deeper/self", scratch.root("self")).unwrap();
        symlink("../self/x", scratch.root("deeper")).unwrap();
        for path in ["a/x", "self", "deeper/x"] {
            assert_eq!(scratch.make(path, FileType::Directory).0, Err(Errno::LOOP), "{path}");
        }
    }

    #[test]
    fn magic_links_of_proc_are_refused() {
        let root = openat(CWD, "/", OFlags::PATH, Mode::empty()).unwrap();
        let found = open(root.as_fd(), Path::new("proc/self/cwd"), Lookup::Followed);
        assert_eq!(found.map(drop), Err(Errno::LOOP));
    }
}
