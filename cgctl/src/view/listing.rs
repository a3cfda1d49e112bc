//! The groups that are there, below the parent in which names begin.

use crate::existing::{Group, Part};
use crate::group::Directory;
use crate::hierarchy::parent::{Parent, Way};
use crate::hierarchy::place::{DIRECTORY, Kind, is_transient};
use crate::hierarchy::{Hierarchies, file, tree};
use chain::text::show;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Groups by the names that lead to them, those inside another after it.
pub type Groups = BTreeMap<PathBuf, Group>;

/// Which of the groups are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those with a name, and what is inside them.
    Named,
    /// Those without a name too.
    All,
}

/// The groups below the parent. Of two with one name, it is the one that the name leads to.
pub fn below(parent: &Parent, which: Which, all: &Hierarchies) -> Groups {
    let mut found = Groups::new();
    for way in starts(parent, which) {
        let before: Vec<PathBuf> = found.keys().cloned().collect();
        for (name, parts) in at(&way, all) {
            let is_shadowed = before.iter().any(|other| other.iter().next() == name.iter().next());
            let is_wanted = which == Which::All || !name.iter().any(is_run);
            if is_wanted && !is_shadowed {
                let shown = show(&name);
                found.insert(name, Group { name: shown, parts });
            }
        }
    }
    found
}

/// A group and those inside it, by the names that lead to them.
pub fn inside(name: &Path, group: &Group, all: &Hierarchies) -> Groups {
    let mut parts: BTreeMap<PathBuf, Vec<Part>> = BTreeMap::new();
    for part in &group.parts {
        collect(part.hierarchy, &part.relative, all, |below, part| {
            parts.entry(below).or_default().push(part);
        });
    }
    let named = |(below, parts): (PathBuf, Vec<Part>)| {
        let name: PathBuf = name.iter().chain(&below).collect();
        (name.clone(), Group { name: show(&name), parts })
    };
    parts.into_iter().map(named).collect()
}

fn is_run(name: &OsStr) -> bool {
    is_transient(name) || name.as_bytes().starts_with(b"run-")
}

/// In the order in which [`Parent::ways`] tries them.
fn starts(parent: &Parent, which: Which) -> Vec<Way> {
    let nowhere = PathBuf::new;
    match parent {
        Parent::Given(path) => vec![Way::From(path.clone())],
        Parent::Usual => {
            let kinds = [Kind::Named, Kind::Transient];
            let kinds = kinds.into_iter().filter(|kind| which == Which::All || *kind == Kind::Named);
            kinds.flat_map(|kind| [Way::Own(kind, nowhere()), Way::Top(kind, nowhere())]).collect()
        }
    }
}

fn at(way: &Way, all: &Hierarchies) -> BTreeMap<PathBuf, Vec<Part>> {
    let mut found: BTreeMap<PathBuf, Vec<Part>> = BTreeMap::new();
    for (index, hierarchy) in all.0.iter().enumerate() {
        let Some(start) = way.path(hierarchy, all) else { continue };
        if matches!(way, Way::Own(Kind::Transient, _) | Way::Top(Kind::Transient, _)) {
            for run in runs(&hierarchy.mount.join(&start)) {
                collect(index, &start.join(&run), all, |below, part| {
                    let name = run.iter().chain(&below).collect::<PathBuf>();
                    found.entry(without_prefix(&name)).or_default().push(part);
                });
            }
        } else {
            collect(index, &start, all, |below, part| {
                if below != Path::new("") {
                    found.entry(below).or_default().push(part);
                }
            });
        }
    }
    found
}

/// The groups without a name that are in a directory.
fn runs(directory: &Path) -> Vec<PathBuf> {
    let names = file::directory(directory).map(tree::groups).unwrap_or_default();
    let names = names.iter().map(|name| OsStr::from_bytes(name.as_bytes()));
    names.filter(|name| is_transient(name)).map(PathBuf::from).collect()
}

/// `cgctl.run-1/x` as it is shown and may be given: `run-1/x`.
fn without_prefix(path: &Path) -> PathBuf {
    let text = path.as_os_str().as_bytes();
    let rest = text.strip_prefix(b"cgctl.".as_slice()).unwrap_or(text);
    PathBuf::from(OsStr::from_bytes(rest))
}

/// Every group at and below `start`, with its path from there. A directory of groups is none.
fn collect(index: usize, start: &Path, all: &Hierarchies, mut add: impl FnMut(PathBuf, Part)) {
    let hierarchy = &all.0[index];
    let top = hierarchy.mount.join(start);
    let Ok(fd) = file::directory(&top) else { return };
    let _ = tree::each(&fd, |_, below| {
        let relative = start.join(below);
        if relative.file_name() == Some(OsStr::new(DIRECTORY)) {
            return;
        }
        // Joined with nothing, a path would end in a slash.
        let path = if below == Path::new("") { top.clone() } else { top.join(below) };
        if let Ok(directory) = Directory::open(hierarchy.version, path) {
            add(below.to_owned(), Part { hierarchy: index, relative, directory });
        }
    });
}
