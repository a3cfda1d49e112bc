//! What a killed cgctl left behind: every group in a directory called `cgctl`, and every one called `cgctl.run-PID`,
//! that nobody holds a lock on.

use crate::group::mark::{self, Mark};
use crate::group::{Directory, controllers, lock};
use crate::hierarchy::place::{DIRECTORY, Place, is_transient};
use crate::hierarchy::{Hierarchies, Hierarchy, Version, file, tree};
use chain::text::show;
use chain::{Error, Result};
use rustix::fs::{Access, AtFlags, accessat};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What was found of one group.
#[derive(Debug, Default)]
pub struct Removed {
    /// How many processes were ended.
    pub killed: usize,
    /// What was removed.
    pub directories: Vec<PathBuf>,
}

/// The unified tree ends processes at once; the freezer must not keep any from ending.
pub fn in_killing_order(all: &Hierarchies) -> Vec<&Hierarchy> {
    let mut order: Vec<&Hierarchy> = all.0.iter().collect();
    order.sort_by_key(|hierarchy| (hierarchy.version == Version::V1, !hierarchy.has("freezer")));
    order
}

/// What is found while looking everywhere.
#[derive(Debug, Default)]
pub struct Collection {
    /// By the group's path from the top.
    pub removed: BTreeMap<PathBuf, Removed>,
    /// What could not be removed.
    pub failures: Vec<Error>,
    /// Nothing is removed, only told.
    pub is_dry: bool,
}

/// Removes what has no owner in one hierarchy.
pub fn collect(hierarchy: &Hierarchy, all: &Hierarchies, collection: &mut Collection) {
    let (mut bases, mut left) = (Vec::new(), Vec::new());
    let Ok(top) = file::directory(&hierarchy.mount) else { return };
    let _ = tree::each(&top, |base, path| {
        // Told with the one around it, as it would be removed with it.
        if collection.is_dry
            && path.ancestors().any(|around| collection.removed.contains_key(&Path::new("/").join(around)))
        {
            return;
        }
        // What is in there is another user's.
        if accessat(base, c".", Access::WRITE_OK, AtFlags::empty()) == Err(Errno::ACCESS) {
            return;
        }
        if !collection.is_dry {
            for name in mark::take_back(base) {
                let path = path.join(name);
                let entry = collection.removed.entry(Path::new("/").join(&path)).or_default();
                entry.directories.push(hierarchy.mount.join(path));
            }
        }
        let is_ours = path.file_name() == Some(OsStr::new(DIRECTORY));
        if is_ours {
            bases.push(hierarchy.mount.join(path));
        }
        let find = if is_ours { orphans } else { other_orphans };
        for orphan in find(hierarchy.version, base, &hierarchy.mount.join(path)) {
            let killed = orphan.processes().len();
            let name = orphan.path.file_name().unwrap_or_default();
            if controllers::is_leaf(name) {
                left.extend(path.parent().map(|own| hierarchy.mount.join(own)));
            }
            let relative = path.join(name);
            let along = along(hierarchy, &relative, all);
            let ended =
                if collection.is_dry { Ok(()) } else { take_along(&along).and_then(|()| orphan.end()) };
            match ended {
                Ok(()) => {
                    let entry = collection.removed.entry(Path::new("/").join(relative)).or_default();
                    entry.killed += killed;
                    let along = along.into_iter().filter(|_| collection.is_dry);
                    for path in std::iter::once(orphan.path).chain(along) {
                        if !entry.directories.contains(&path) {
                            entry.directories.push(path);
                        }
                    }
                }
                Err(e) => collection.failures.push(e),
            }
        }
    });
    if collection.is_dry {
        return;
    }
    for base in bases.iter().rev() {
        let _ = std::fs::remove_dir(base);
    }
    left.iter().for_each(|own| controllers::reopen(own));
}

/// The directories of an orphan in other hierarchies that would stay without it. The one that tracks it is the first
/// to be made, the last to be marked to stay and the first to lose that mark: its cgctl was killed on the way.
fn along(hierarchy: &Hierarchy, relative: &Path, all: &Hierarchies) -> Vec<PathBuf> {
    let has_it = |other: &&Hierarchy| file::directory(&other.mount.join(relative)).is_ok();
    let best = all.unified().or_else(|| all.of("freezer")).map(|index| &all.0[index]);
    let tracking = best.filter(has_it).or_else(|| all.0.iter().find(has_it));
    if tracking.is_none_or(|tracking| tracking.mount != hierarchy.mount) {
        return Vec::new();
    }
    let others = all.0.iter().filter(|other| other.mount != hierarchy.mount);
    let paths = others.map(|other| other.mount.join(relative));
    paths
        .filter(|path| file::directory(path).is_ok_and(|group| mark::get(group) != Some(Mark::Goes)))
        .collect()
}

fn take_along(paths: &[PathBuf]) -> Result<()> {
    for path in paths {
        let marked = file::directory(path).and_then(|group| mark::set(group, Mark::Goes));
        marked.map_err(|errno| file::cannot(format_args!("mark {}", show(path)), errno))?;
    }
    Ok(())
}

/// The groups in an open directory of groups that have no owner, each locked. None when the directory is kept by
/// a cgctl that makes groups all the time, or is somebody else's.
fn orphans(version: Version, base: &OwnedFd, path: &Path) -> Vec<Directory> {
    if lock::exclude(base).is_err() {
        return Vec::new();
    }
    let found =
        unowned(base, path, tree::groups(base), |path, fd| Directory::adopt_closely(version, path, fd));
    lock::free(base);
    found
}

/// The groups without an owner in any other open directory, each locked: those without a name, and those marked to go.
fn other_orphans(version: Version, base: &OwnedFd, path: &Path) -> Vec<Directory> {
    unowned(base, path, tree::groups(base), |path, fd| {
        let is_marked = matches!(mark::get(&fd), Some(Mark::Goes | Mark::Lasts));
        let goes = path.file_name().is_some_and(is_transient) || is_marked;
        goes.then(|| Directory::adopt_closely(version, path, fd)).flatten()
    })
}

fn transient(mut names: Vec<CString>) -> Vec<CString> {
    names.retain(|name| is_transient(OsStr::from_bytes(name.as_bytes())));
    names
}

fn unowned(
    base: &OwnedFd,
    path: &Path,
    names: Vec<CString>,
    adopt: impl Fn(PathBuf, OwnedFd) -> Option<Directory>,
) -> Vec<Directory> {
    let open = |name: CString| {
        let fd = file::directory_in(base, &name).ok()?;
        adopt(path.join(OsStr::from_bytes(name.as_bytes())), fd)
    };
    names.into_iter().filter_map(open).collect()
}

/// The cheap form, done whenever a group is made: only in this place, and not if it would mean to wait.
pub fn sweep(place: &Place, all: &Hierarchies) {
    for orphan in &orphans_nearby(place) {
        let Ok(relative) = orphan.path.strip_prefix(&place.mount) else { continue };
        let along = all.0.iter().find(|one| one.mount == place.mount).map(|one| along(one, relative, all));
        if take_along(&along.unwrap_or_default()).is_err() || orphan.kill_hastily().is_err() {
            continue;
        }
        for other in all.0.iter().filter(|other| other.mount != place.mount) {
            remove_at(other.version, &other.mount.join(relative));
        }
        // Last: it is by this one that the next sweep would find the rest.
        let _ = orphan.end_hastily();
    }
}

fn orphans_nearby(place: &Place) -> Vec<Directory> {
    let adopt = |path, fd| Directory::adopt(place.version, path, fd);
    let path = place.base();
    let Ok(base) = file::directory(&path) else { return Vec::new() };
    let names = tree::groups(&base);
    let has_named = names.iter().any(|name| name.as_bytes() == DIRECTORY.as_bytes());
    let mut found = unowned(&base, &path, transient(names), adopt);
    let named = has_named.then(|| file::directory_in(&base, DIRECTORY).ok()).flatten();
    if let Some(named) = named.filter(|named| lock::take(named)) {
        found.extend(unowned(&named, &path.join(DIRECTORY), tree::groups(&named), adopt));
        lock::free(&named);
    }
    found
}

/// Removes the group at this path, if there is one that nobody owns, and tells whether there was.
pub fn remove_at(version: Version, path: &Path) -> bool {
    let Some(orphan) = orphan_at(version, path) else { return false };
    if let Err(e) = orphan.end() {
        e.report();
    }
    true
}

fn orphan_at(version: Version, path: &Path) -> Option<Directory> {
    let is_in_ours = path.parent()?.file_name()? == DIRECTORY;
    if is_transient(path.file_name()?) || !is_in_ours {
        return Directory::adopt_closely(version, path.to_owned(), file::directory(path).ok()?);
    }
    let base = file::directory(path.parent()?).ok()?;
    lock::exclude(&base).ok()?;
    let fd = file::directory_in(&base, path.file_name()?).ok()?;
    Directory::adopt_closely(version, path.to_owned(), fd)
}
