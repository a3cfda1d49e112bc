//! What this user can do in each hierarchy, and what would have to change for more.

use crate::hierarchy::place::{self, Kind, Place, without_leaf};
use crate::hierarchy::{Hierarchies, Hierarchy, Version, file};
use crate::plan::advice;
use rustix::fs::{Access, access};
use std::path::Path;

/// Where this user can make groups in a hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Where the first choice is: at the top, or inside the group of an enclosing cgctl.
    Best,
    /// In the own group.
    Own,
    /// Nowhere.
    Nowhere,
}

/// What cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    /// A controller, or groups.
    pub what: String,
    /// The reason.
    pub why: String,
    /// What to run.
    pub cure: Option<String>,
}

impl Start {
    /// For a table.
    pub fn word(self) -> &'static str {
        match self {
            Start::Best => "yes",
            Start::Own => "own",
            Start::Nowhere => "no",
        }
    }
}

/// Where groups can be made.
pub fn start(hierarchy: &Hierarchy, all: &Hierarchies) -> Start {
    let places = place::places(hierarchy, all, Kind::Named);
    match places.iter().position(is_writable) {
        Some(0) => Start::Best,
        Some(_) => Start::Own,
        None => Start::Nowhere,
    }
}

fn is_writable(place: &Place) -> bool {
    let path = place.path();
    let there = path.ancestors().find(|path| path.is_dir()).unwrap_or(&path);
    access(there, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// The controllers that groups of this user can have.
pub fn controllers(hierarchy: &Hierarchy, all: &Hierarchies) -> Vec<String> {
    match (start(hierarchy, all), &hierarchy.own) {
        (Start::Nowhere, _) => Vec::new(),
        (Start::Own, Some(own)) if hierarchy.version == Version::V2 => offered(hierarchy, without_leaf(own)),
        _ => hierarchy.controllers.clone(),
    }
}

fn offered(hierarchy: &Hierarchy, group: &Path) -> Vec<String> {
    let text = file::read_path(hierarchy.mount.join(group).join("cgroup.controllers"));
    text.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// The controllers of v2 that the keys are for, and the names that v1 has for them.
pub const WANTED: [(&str, &str); 6] = [
    ("memory", "memory"),
    ("cpu", "cpu"),
    ("pids", "pids"),
    ("io", "blkio"),
    ("cpuset", "cpuset"),
    ("hugetlb", "hugetlb"),
];

/// What is missing, and how it could be had.
pub fn gaps(all: &Hierarchies) -> Vec<Gap> {
    if all.0.is_empty() {
        let cure = Some(advice::MOUNT.to_owned());
        return vec![Gap {
            what: "groups".to_owned(),
            why: "no cgroup file system is mounted".to_owned(),
            cure,
        }];
    }
    let hidden = all.0.iter().filter(|hierarchy| hierarchy.own.is_none()).map(|hierarchy| Gap {
        what: format!("the own group in {}", hierarchy.mount.display()),
        why: "it was mounted for another cgroup namespace or container".to_owned(),
        cure: Some(advice::mount(hierarchy)),
    });
    let limits = WANTED.iter().filter_map(|names| controller(*names, all));
    hidden.chain(limits).collect()
}

fn controller((v2, v1): (&str, &str), all: &Hierarchies) -> Option<Gap> {
    let Some(index) = all.of(v2).or_else(|| all.of(v1)) else {
        if all.is_inside_another() {
            let why = "the group that is the top here does not have it".to_owned();
            return Some(Gap { what: v2.to_owned(), why, cure: Some(advice::FROM_OUTSIDE.to_owned()) });
        }
        let why = "no mounted hierarchy has it: the kernel was built or started without, or its hierarchy is not \
                   mounted";
        let cure = all.unified().is_none().then(|| format!("mount -t cgroup -o {v1} cgroup DIRECTORY"));
        return Some(Gap { what: v2.to_owned(), why: why.to_owned(), cure });
    };
    let hierarchy = &all.0[index];
    // That is told by itself.
    hierarchy.own.as_ref()?;
    let usable = controllers(hierarchy, all);
    if usable.iter().any(|name| name == v2 || name == v1) {
        return None;
    }
    let (why, cure) = match start(hierarchy, all) {
        Start::Nowhere if rustix::process::geteuid().is_root() => {
            return Some(Gap { what: v2.to_owned(), why: advice::CONTAINER.to_owned(), cure: None });
        }
        Start::Nowhere => ("this user can make no group there", advice::delegation()),
        _ if advice::runs_systemd() => {
            ("the own group does not have it", advice::MORE_CONTROLLERS.to_owned())
        }
        _ => ("the own group does not have it", advice::controllers()),
    };
    Some(Gap { what: v2.to_owned(), why: why.to_owned(), cure: Some(cure) })
}
