//! The hierarchies, as /proc/self/mountinfo and /proc/self/cgroup tell them.

use crate::hierarchy::{Hierarchy, Version};
use chain::mountinfo::{self, unescape};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Each hierarchy once, in the order of its first mount.
pub fn parse(mountinfo: &[u8], cgroup: &[u8]) -> Vec<Hierarchy> {
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
pub fn membership(line: &[u8]) -> Option<(&[u8], &[u8])> {
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
pub fn below(group: &Path, root: &Path) -> Option<PathBuf> {
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
}
