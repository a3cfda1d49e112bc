//! The hierarchies that are mounted here, and where this process stands in each: cgroups(7).
//!
//! Mount types, `cgroup.controllers` and the files that are there tell what can be done; /proc/cgroups does not
//! (since Linux 6.12 it hides controllers, since 6.17 it lists those of v1 only).

use crate::group::mark;
use crate::hierarchy::file;
use crate::hierarchy::mountinfo::{self, below, membership};
use crate::hierarchy::place::{DIRECTORY, is_transient, without_leaf};
use chain::{Cannot, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Which of the two designs a hierarchy follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A tree for some controllers, one file system of type `cgroup` for each.
    V1,
    /// The unified tree, of type `cgroup2`.
    V2,
}

/// A mounted tree of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Its version.
    pub version: Version,
    /// Where it is mounted.
    pub mount: PathBuf,
    /// The controllers: of v1 as the mount tells them, of v2 those that its top offers.
    pub controllers: Vec<String>,
    /// The group of this process, relative to the mount; `None` when the mount does not show it.
    pub own: Option<PathBuf>,
    /// The way to the group of the enclosing cgctl that this process is in: from our first directory on, or from the
    /// top when that group was made in a parent that the user had given.
    pub outer: Option<PathBuf>,
}

/// All that is mounted.
#[derive(Debug)]
pub struct Hierarchies(pub Vec<Hierarchy>);

impl Hierarchies {
    /// Reads /proc/self/mountinfo, /proc/self/cgroup and the top's `cgroup.controllers`.
    pub fn discover() -> Result<Self> {
        let read = |file: &str| file::read_path(file).cannot_with(|| format!("read {file}"));
        let mut found =
            mountinfo::parse(read("/proc/self/mountinfo")?.as_bytes(), read("/proc/self/cgroup")?.as_bytes());
        for unified in found.iter_mut().filter(|hierarchy| hierarchy.version == Version::V2) {
            let offered = file::read_path(unified.mount.join("cgroup.controllers"));
            unified.controllers = offered.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        }
        let mut all = Hierarchies(found);
        all.look_for_marks();
        Ok(all)
    }

    /// Groups outside of our directories are known by their mark, in the hierarchy that tracks groups.
    fn look_for_marks(&mut self) {
        if self.outer().is_some() {
            return;
        }
        let Some(tracking) = self.tracking().map(|index| &self.0[index]) else { return };
        let own = tracking.own.clone().unwrap_or_default();
        let marked = |group: &Path| {
            group != Path::new("")
                && file::directory(&tracking.mount.join(group)).is_ok_and(|fd| mark::get(fd).is_some())
        };
        if own.ancestors().any(marked) {
            for hierarchy in self.0.iter_mut().filter(|hierarchy| hierarchy.own.as_ref() == Some(&own)) {
                hierarchy.outer = Some(own.clone());
            }
        }
    }

    /// The hierarchy that knows best what is in a group. The unified tree can kill and tell of emptiness even where
    /// no controller is on it. The v1 freezer is the next best.
    pub fn tracking(&self) -> Option<usize> {
        self.unified().or_else(|| self.of("freezer"))
    }

    /// The place of the unified tree in the list.
    pub fn unified(&self) -> Option<usize> {
        self.0.iter().position(|hierarchy| hierarchy.version == Version::V2)
    }

    /// The place of the hierarchy that has this controller.
    pub fn of(&self, controller: &str) -> Option<usize> {
        self.0.iter().position(|hierarchy| hierarchy.has(controller))
    }

    /// The way to the group of an enclosing cgctl, from our first directory on, where this process is in one.
    pub fn outer(&self) -> Option<&Path> {
        let outer = self.0.iter().filter_map(|hierarchy| hierarchy.outer.as_deref());
        outer.max_by_key(|group| group.components().count())
    }

    /// The top that is seen here is a group of somebody outside, as in a container; the real one has no type.
    pub fn is_inside_another(&self) -> bool {
        self.unified().is_some_and(|index| self.0[index].mount.join("cgroup.type").exists())
    }

    /// Every controller that is there, v1 first.
    pub fn controllers(&self) -> Vec<&str> {
        self.0.iter().flat_map(|hierarchy| &hierarchy.controllers).map(String::as_str).collect()
    }
}

impl Hierarchy {
    /// It limits what this controller limits.
    pub fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    /// The whole path of the group that a text of /proc/PID/cgroup tells; `None` when this cgroup namespace or this
    /// mount does not show it.
    pub fn place_of(&self, text: &str) -> Option<PathBuf> {
        let own = file::read_path("/proc/self/cgroup").ok()?;
        let group = |text: &str| {
            let mut groups = text.lines().filter_map(|line| membership(line.as_bytes()));
            let (_, group) = groups.find(|(names, _)| match self.version {
                Version::V2 => names.is_empty(),
                Version::V1 => {
                    names.split(|byte| *byte == b',').any(|name| self.has(&String::from_utf8_lossy(name)))
                }
            })?;
            Some(PathBuf::from(OsStr::from_bytes(group)))
        };
        // The mount shows what is below its root, which is what our own path has more than the mount tells of it.
        let (own, shown) = (group(&own)?, self.own.as_ref()?);
        let depth = shown.iter().count();
        let root = own.ancestors().nth(depth)?;
        below(&group(text)?, root).map(|group| self.mount.join(group))
    }

    /// This process is in a group that cgctl made.
    pub fn is_nested(&self) -> bool {
        self.outer.is_some()
    }

    /// One of these properties; `own` tells whether it is in a group of another cgctl.
    pub fn new(version: Version, mount: PathBuf, controllers: Vec<String>, own: Option<PathBuf>) -> Self {
        let outer =
            own.as_deref().filter(|own| is_nested(own)).map(|own| without_leaf(from_ours_on(own)).to_owned());
        Hierarchy { version, mount, controllers, own, outer }
    }
}

/// The name of a directory of ours: one with groups in it, or a group without a name.
pub fn is_ours(name: &OsStr) -> bool {
    name == DIRECTORY || is_transient(name)
}

/// A group that we have made, or below one.
pub fn is_nested(group: &Path) -> bool {
    let mut names = from_ours_on(group).iter();
    names.next().is_some_and(|first| is_transient(first) || names.next().is_some())
}

/// The end of a path that begins with a directory of ours.
pub fn from_ours_on(group: &Path) -> &Path {
    let mut rest = group.iter();
    while rest.clone().next().is_some_and(|first| !is_ours(first)) {
        rest.next();
    }
    rest.as_path()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_a_group_of_ours_is_nested() {
        for (group, nested) in [
            ("", false),
            ("cgctl", false),
            ("cgctl/a", true),
            ("a/cgctl/b/c", true),
            ("cgctlx/a", false),
            ("cgctl.run-1", true),
            ("a/cgctl.run-1/b", true),
            ("cgctl.x/a", false),
        ] {
            assert_eq!(is_nested(Path::new(group)), nested, "{group}");
        }
        for (group, ours) in [
            ("a/b", ""),
            ("cgctl/x", "cgctl/x"),
            ("a/cgctl/b/cgctl/c", "cgctl/b/cgctl/c"),
            ("a/cgctl.run-1/cgctl/c", "cgctl.run-1/cgctl/c"),
        ] {
            assert_eq!(from_ours_on(Path::new(group)), Path::new(ours));
        }
    }
}
