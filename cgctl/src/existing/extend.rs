//! A group that stays gets a directory in one more hierarchy of v1, for a limit that it had no need of before.

use crate::existing::Group;
use crate::group::Directory;
use crate::group::claim::{Claim, claim};
use crate::group::mark::Mark;
use crate::hierarchy::place::{self, Kind};
use crate::hierarchy::{Hierarchies, file};
use crate::plan::advice;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::io::Errno;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A directory that the group had not. It is removed again unless it is [kept](Extension::keep).
#[derive(Debug)]
pub struct Extension {
    /// The hierarchy's place in [`Hierarchies`].
    pub hierarchy: usize,
    /// The directory.
    pub directory: Directory,
    place: place::Place,
    mount: PathBuf,
    controllers: Vec<String>,
    /// Where each process was that has been moved.
    moved: RefCell<HashMap<i32, PathBuf>>,
    is_kept: bool,
}

/// Rounds of moving, in each of which processes may start others.
const ROUNDS: u32 = 100;

impl Extension {
    /// Makes the directory.
    pub fn make(group: &Group, hierarchy: usize, all: &Hierarchies) -> Result<Self> {
        let Some(part) = group.parts.first() else {
            return Err(Error::new("extend a group", "it is nowhere"));
        };
        let to = &all.0[hierarchy];
        let what = || format!("make group {} in {}", group.name, show(&to.mount));
        let name = part.relative.file_name().unwrap_or_default();
        if !group.stays() {
            return Err(Error::new(what(), "it goes with its command, or another program has made it")
                .hint("give it the limit when it is made: cgctl new NAME KEY=VALUE"));
        }
        let above = part.relative.parent().unwrap_or(Path::new(""));
        let place = place::given(to, above, Kind::Inside).staying();
        let claim = claim(&place, &name.to_string_lossy()).map_err(|errno| {
            let error = file::cannot(what(), errno);
            if matches!(errno, Errno::ACCESS | Errno::ROFS) {
                error.hint(advice::permission())
            } else {
                error
            }
        });
        match claim? {
            Claim::Made(directory) => Ok(Extension {
                hierarchy,
                directory,
                place,
                mount: to.mount.clone(),
                controllers: to.controllers.clone(),
                moved: RefCell::default(),
                is_kept: false,
            }),
            Claim::InUse | Claim::There => Err(Error::new(what(), "another cgctl is making it")),
        }
    }

    /// Moves the processes of the group into it. It is marked to stay before: `gc` ends what is in an orphan.
    pub fn fill(&self, group: &Group) -> Result<()> {
        self.directory.keep(Mark::Stays).cannot_with(|| format!("keep {}", show(&self.directory.path)))?;
        for _ in 0..ROUNDS {
            let inside = self.directory.processes();
            let missing: Vec<i32> =
                group.tracking().processes().into_iter().filter(|pid| !inside.contains(pid)).collect();
            if missing.is_empty() {
                return Ok(());
            }
            for pid in missing {
                self.take(pid)?;
            }
        }
        Err(Error::new(
            format_args!("move {} to {}", group.name, show(&self.directory.path)),
            "it starts processes too fast",
        ))
    }

    fn take(&self, pid: i32) -> Result<()> {
        let before = self.group_of(pid);
        match file::write(&self.directory, "cgroup.procs", &pid.to_string()) {
            Ok(()) => {
                self.moved.borrow_mut().extend(before.map(|before| (pid, before)));
                Ok(())
            }
            Err(Errno::SRCH) => Ok(()),
            Err(errno) => Err(crate::group::enter::refused(&self.directory, errno)),
        }
    }

    fn group_of(&self, pid: i32) -> Option<PathBuf> {
        let text = file::read_path(format!("/proc/{pid}/cgroup")).ok()?;
        let own = |line: &str| {
            let (names, path) = line.split_once(':')?.1.split_once(':')?;
            names.split(',').eq(self.controllers.iter().map(String::as_str)).then(|| path.to_owned())
        };
        let path = text.lines().find_map(own)?;
        Some(self.mount.join(OsStr::from_bytes(path.trim_start_matches('/').as_bytes())))
    }

    /// Leaves it where it is.
    pub fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Extension {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for (pid, before) in self.moved.borrow().iter() {
            if let Ok(before) = file::directory(before) {
                let _ = file::write(before, "cgroup.procs", &pid.to_string());
            }
        }
        let _ = std::fs::remove_dir(&self.directory.path);
        self.place.tidy();
    }
}
