//! A group stands still and goes on: cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst.

use crate::existing::Group;
use crate::group::{Directories, Directory};
use crate::hierarchy::patience::Patience;
use crate::hierarchy::{Hierarchies, Version, events, file, tree};
use chain::text::show;
use chain::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long processes may take to stand still: one that waits for a disk does not before it has its answer.
const LIMIT: Duration = Duration::from_secs(10);

/// The files of one version.
struct Freezer<'a> {
    directory: &'a Directory,
    file: &'static str,
    freeze: &'static str,
    thaw: &'static str,
}

/// Its processes stand still, for its own sake or for that of a group around it.
pub fn is_frozen(group: &Group) -> bool {
    group.parts.iter().any(|part| stands_still(&part.directory))
}

fn stands_still(directory: &Directory) -> bool {
    match directory.version {
        Version::V2 => file::read(directory, "cgroup.events")
            .is_ok_and(|events| file::field(&events, "frozen") == Some(1)),
        Version::V1 => file::read(directory, "freezer.state").is_ok_and(|state| state.trim() == "FROZEN"),
    }
}

/// Has every process of the group stand still, and returns when they do. What cannot be done is undone.
pub fn freeze(group: &Group, all: &Hierarchies) -> Result<()> {
    group.check_without_us("freeze")?;
    let mut freezers = freezers(group, all, "freeze")?;
    if freezers.len() > 1 && group.processes().is_subset(&freezers[0].processes()) {
        freezers.truncate(1);
    }
    check_complete(group, &freezers)?;
    let patience = &mut Patience::of(LIMIT);
    let frozen = freezers.iter().try_for_each(|freezer| freezer.stop(group, patience));
    if frozen.is_err() {
        for freezer in &freezers {
            let _ = freezer.write(freezer.thaw);
        }
    }
    frozen
}

/// Lets them go on, and returns when they do.
pub fn thaw(group: &Group, all: &Hierarchies) -> Result<()> {
    group.check_without_us("thaw")?;
    let freezers = freezers(group, all, "thaw")?;
    // What the v1 freezer holds cannot tell the unified tree that it goes on.
    freezers.iter().rev().try_for_each(|freezer| freezer.go_on(group))
}

/// Lets a group of the v1 freezer, and those below it, go on: a process that stands still there does not end.
pub fn release(directory: &Directory) {
    if directory.version == Version::V1 && file::read(directory, "freezer.state").is_ok() {
        let _ = tree::each(directory, |group, _| {
            let _ = file::write(group, "freezer.state", "THAWED");
        });
    }
}

/// The unified tree does it without any controller. Where processes are only in the v1 freezer, that one helps.
fn freezers<'a>(group: &'a Group, all: &Hierarchies, what: &str) -> Result<Vec<Freezer<'a>>> {
    let unified = all.unified().and_then(|index| group.directory(index));
    let unified = unified.filter(|directory| file::read(directory, "cgroup.freeze").is_ok());
    let v1 = group.with_controller("freezer", all).filter(|directory| directory.version == Version::V1);
    let of_v2 = unified.map(|directory| Freezer { directory, file: "cgroup.freeze", freeze: "1", thaw: "0" });
    let of_v1 =
        v1.map(|directory| Freezer { directory, file: "freezer.state", freeze: "FROZEN", thaw: "THAWED" });
    let found: Vec<Freezer> = of_v2.into_iter().chain(of_v1).collect();
    if found.is_empty() {
        let why = "it is neither in the cgroup v2 tree nor in the v1 freezer";
        return Err(Error::new(format_args!("{what} group {}", group.name), why).hint(
            "groups that `cgctl new` makes are, where one of them is mounted and Linux is 5.2 or later",
        ));
    }
    Ok(found)
}

/// A process that somebody has put into one hierarchy only would go on.
fn check_complete(group: &Group, freezers: &[Freezer<'_>]) -> Result<()> {
    let is_within = |pid: &i32| freezers.iter().any(|freezer| freezer.processes().contains(pid));
    let before = group.processes();
    // One that was born meanwhile is where its parent is, and one that has ended is nowhere.
    match before.iter().find(|pid| !is_within(pid) && group.processes().contains(pid)) {
        None => Ok(()),
        Some(pid) => {
            let why = format!("process {pid} is in it, but not in {}", show(&freezers[0].directory.path));
            Err(Error::new(format_args!("freeze group {}", group.name), why)
                .hint(format_args!("cgctl move {} {pid}", group.name)))
        }
    }
}

impl Freezer<'_> {
    fn processes(&self) -> BTreeSet<i32> {
        self.directory.processes().into_iter().collect()
    }

    fn write(&self, text: &str) -> rustix::io::Result<()> {
        file::write(self.directory, self.file, text)
    }

    fn stop(&self, group: &Group, patience: &mut Patience) -> Result<()> {
        let what = || format!("freeze group {}", group.name);
        self.write(self.freeze).map_err(|errno| file::cannot(what(), errno))?;
        let stands = match self.directory.version {
            Version::V2 => events::until(self.directory, "frozen", 1, patience),
            Version::V1 => self.retry(patience),
        };
        if stands {
            return Ok(());
        }
        let culprit =
            self.directory.processes().into_iter().find_map(waiting).unwrap_or("a process".to_owned());
        Err(Error::new(what(), format_args!("{culprit} does not stand still")).hint("it goes on as before"))
    }

    /// FREEZING can last until it is asked for again: one that was about to be frozen may have been born late.
    fn retry(&self, patience: &mut Patience) -> bool {
        while !stands_still(self.directory) {
            if !patience.pause() {
                return false;
            }
            let _ = self.write(self.freeze);
        }
        true
    }

    fn go_on(&self, group: &Group) -> Result<()> {
        let what = || format!("thaw group {}", group.name);
        self.write(self.thaw).map_err(|errno| file::cannot(what(), errno))?;
        if let Some(around) = self.frozen_around() {
            let why = format!("the group {} around it is frozen", show(&around));
            return Err(
                Error::new(what(), why).hint(format_args!("cgctl thaw /{}", show(self.name(&around, group))))
            );
        }
        let patience = &mut Patience::of(LIMIT);
        let goes_on = match self.directory.version {
            Version::V2 => events::until(self.directory, "frozen", 0, patience),
            Version::V1 => !stands_still(self.directory) || patience.pause() && !stands_still(self.directory),
        };
        if goes_on { Ok(()) } else { Err(Error::new(what(), "it still stands still")) }
    }

    /// The nearest group around it that was asked to stand still.
    fn frozen_around(&self) -> Option<PathBuf> {
        let was_asked = |group: &&Path| {
            let read = |file: &str| file::read_path(group.join(file)).unwrap_or_default();
            match self.directory.version {
                Version::V2 => read("cgroup.freeze").trim() == "1",
                Version::V1 => read("freezer.self_freezing").trim() == "1",
            }
        };
        self.directory.path.ancestors().skip(1).find(was_asked).map(Path::to_owned)
    }

    /// A group above, as a path from the top.
    fn name(&self, around: &Path, group: &Group) -> PathBuf {
        let part = group.parts.iter().find(|part| part.directory.path == self.directory.path);
        let depth = self.directory.path.iter().count() - around.iter().count();
        part.and_then(|part| part.relative.ancestors().nth(depth)).map(Path::to_owned).unwrap_or_default()
    }
}

/// A process that waits where nothing can interrupt it.
fn waiting(pid: i32) -> Option<String> {
    let status = chain::process::Status::read(&pid.to_string()).ok()?;
    let state = status.field("State")?;
    state
        .starts_with('D')
        .then(|| format!("process {pid} ({}, state {state})", status.field("Name").unwrap_or("?")))
}
