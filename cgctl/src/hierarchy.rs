//! The hierarchies that are mounted here, and where this process stands in each: cgroups(7).
//!
//! Mount types, `cgroup.controllers` and the files that are there tell what can be done; /proc/cgroups does not
//! (since Linux 6.12 it hides controllers, since 6.17 it lists those of v1 only).

use crate::file;
use crate::mark;
use crate::place::{DIRECTORY, is_transient, without_leaf};
use chain::mountinfo::{self, unescape};
use chain::{Cannot, Result};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

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
            parse(read("/proc/self/mountinfo")?.as_bytes(), read("/proc/self/cgroup")?.as_bytes());
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

fn parse(mountinfo: &[u8], cgroup: &[u8]) -> Vec<Hierarchy> {
    let own: Vec<(&[u8], &[u8])> = cgroup.split(|byte| *byte == b'\n').filter_map(membership).collect();
    let mut found: Vec<Hierarchy> = Vec::new();
    for hierarchy in mountinfo.split(|byte| *byte == b'\n').filter_map(|line| mounted(line, &own)) {
        found.retain(|other| other.mount != hierarchy.mount);
        let same = |other: &&mut Hierarchy| {
            other.version == hierarchy.version && other.controllers == hierarchy.controllers
        };
        match found.iter_mut().find(same) {
            Some(other) if other.own.is_none() => *other = hierarchy,
            Some(_) => {}
            None => found.push(hierarchy),
        }
    }
    found
}

/// `ID:CONTROLLERS:PATH` of /proc/PID/cgroup.
fn membership(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut fields = line.splitn(3, |byte| *byte == b':').skip(1);
    Some((fields.next()?, fields.next()?))
}

/// A line of /proc/PID/mountinfo, when it is of a hierarchy.
fn mounted(line: &[u8], own: &[(&[u8], &[u8])]) -> Option<Hierarchy> {
    let found = mountinfo::parse(line)?;
    let version = match found.kind {
        b"cgroup" => Version::V1,
        b"cgroup2" => Version::V2,
        _ => return None,
    };
    let options: Vec<&[u8]> = found.options.split(|byte| *byte == b',').collect();
    let belongs = |names: &[u8]| match version {
        Version::V2 => names.is_empty(),
        Version::V1 => {
            !names.is_empty() && names.split(|byte| *byte == b',').all(|name| options.contains(&name))
        }
    };
    let (names, group) = own.iter().find(|(names, _)| belongs(names))?;
    let text = String::from_utf8_lossy(names);
    Some(Hierarchy::new(
        version,
        unescape(found.point),
        text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        below(Path::new(OsStr::from_bytes(group)), &unescape(found.root)),
    ))
}

/// A group as a mount shows it, whose root is the group `root`. The kernel tells a root above this cgroup
/// namespace as `/..`: then the way down is not known.
fn below(group: &Path, root: &Path) -> Option<PathBuf> {
    let hidden = [group, root].iter().any(|path| path.components().any(|part| part == Component::ParentDir));
    if hidden { None } else { group.strip_prefix(root).ok().map(Path::to_owned) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mountinfo: &str, cgroup: &str) -> Vec<(String, Vec<String>, Option<String>)> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let found = parse(mountinfo.as_bytes(), cgroup.as_bytes());
        found.into_iter().map(|h| (text(h.mount), h.controllers, h.own.map(text))).collect()
    }

    #[test]
    fn hybrid_hosts_have_a_tree_for_each() {
        let mounts = "22 1 0:5 / /proc rw - proc proc rw\n\
            33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
            40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
            41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = of(mounts, "9:name=systemd:/s\n1:cpu,cpuacct:/a/b\n0::/u\n");
        let expected = [
            ("/sys/fs/cgroup/cpu,cpuacct", vec!["cpu", "cpuacct"], "a/b"),
            ("/sys/fs/cgroup/systemd", vec!["name=systemd"], "s"),
            ("/sys/fs/cgroup/unified", vec![], "u"),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(mount, names, own)| {
                (mount.to_owned(), names.into_iter().map(str::to_owned).collect(), Some(own.to_owned()))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_own_group_is_told_relative_to_what_is_mounted() {
        let table = [
            ("/", "/", Some("")),
            ("/docker/1", "/docker/1", Some("")),
            ("/docker/1", "/docker/1/x", Some("x")),
            ("/docker/1", "/docker/12", None),
            ("/../..", "/", None),
            ("/", "/../x", None),
        ];
        for (root, own, relative) in table {
            let found = of(&format!("1 1 0:1 {root} /c rw - cgroup2 c rw"), &format!("0::{own}"));
            assert_eq!(found[0].2.as_deref(), relative, "{root} {own}");
        }
    }

    #[test]
    fn a_mount_over_another_hides_it_and_copies_count_once() {
        let found = of("1 1 0:1 / /c rw - cgroup2 c rw\n2 1 0:1 / /d rw - cgroup2 c rw", "0::/");
        assert_eq!(found.len(), 1);
        let found = of("1 1 0:1 / /c rw - cgroup c rw,cpu\n2 1 0:1 / /c rw - cgroup2 c rw", "1:cpu:/\n0::/");
        assert_eq!(found, [("/c".to_owned(), vec![], Some(String::new()))]);
        let found = of("1 1 0:1 /.. /c rw - cgroup2 c rw\n2 1 0:1 / /d rw - cgroup2 c rw", "0::/");
        assert_eq!(found[0].0, "/d");
    }

    #[test]
    fn blanks_in_mount_points_are_read() {
        assert_eq!(of(r"1 1 0:1 / /a\040b\134c rw - cgroup2 c rw", "0::/")[0].0, r"/a b\c");
    }

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
