//! The control groups of the target: its places in every hierarchy in which it has another than the caller.
//!
//! All are opened before anything is joined, as the kernel checks a move against who opened the file, and from
//! where. A child is born into its version 2 group, which is fifty times as fast as a move; for version 1 there is
//! no such way.

use crate::mountinfo::{self, Hierarchy, Version};
use crate::refused;
use crate::target::{Target, as_nix};
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::write;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What is to be joined.
#[derive(Debug, Default)]
pub struct Groups {
    /// The directory of the version 2 group, for a child to be born in, and its name.
    pub birth: Option<(OwnedFd, PathBuf)>,
    doors: Vec<(OwnedFd, PathBuf)>,
}

/// A line of /proc/PID/cgroup, cgroups(7).
#[derive(Debug, PartialEq, Eq)]
struct Place {
    /// Empty for version 2.
    controllers: String,
    group: PathBuf,
}

impl Groups {
    /// Looks for the groups of `target`; `by_birth` when the command is a child.
    pub fn of(target: &Target, by_birth: bool) -> Result<Self> {
        let own = places(&std::fs::read("/proc/self/cgroup").cannot("look at the own control groups")?);
        let theirs = places(&target.read("cgroup")?);
        let hierarchies = mountinfo::hierarchies()?;
        let mut groups = Groups::default();
        for place in theirs.iter().filter(|place| !own.contains(place)) {
            groups.add(place, &directory(&hierarchies, place)?, by_birth)?;
        }
        target.check_alive().map(|()| groups)
    }

    fn add(&mut self, place: &Place, dir: &Path, by_birth: bool) -> Result<()> {
        let is_v2 = place.controllers.is_empty();
        if is_v2 && by_birth {
            self.birth = Some((opened(dir, OFlags::PATH | OFlags::DIRECTORY)?, dir.to_owned()));
        } else {
            let file = dir.join(if is_v2 { "cgroup.procs" } else { "tasks" });
            self.doors.push((opened(&file, OFlags::WRONLY)?, dir.to_owned()));
        }
        Ok(())
    }

    /// Whether the target is in the caller's groups already.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.birth.is_none() && self.doors.is_empty()
    }

    /// Moves this process; the descriptors are closed.
    pub fn join(&mut self) -> Result<()> {
        self.birth = None;
        for (file, group) in std::mem::take(&mut self.doors) {
            write(&file, b"0").map_err(|errno| refused::group(&group, as_nix(errno)))?;
        }
        Ok(())
    }
}

fn opened(file: &Path, how: OFlags) -> Result<OwnedFd> {
    open(file, how | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty())
        .map_err(|errno| refused::group(file, as_nix(errno)))
}

fn places(table: &[u8]) -> Vec<Place> {
    let place = |line: &[u8]| {
        let mut parts = line.splitn(3, |byte| *byte == b':').skip(1);
        let controllers = String::from_utf8_lossy(parts.next()?).into_owned();
        Some(Place { controllers, group: OsString::from_vec(parts.next()?.to_vec()).into() })
    };
    table.split(|byte| *byte == b'\n').filter_map(place).collect()
}

/// Where a group is seen in this process's mount namespace.
fn directory(hierarchies: &[Hierarchy], place: &Place) -> Result<PathBuf> {
    let mounts: Vec<&Hierarchy> = hierarchies.iter().filter(|mount| is_of(mount, place)).collect();
    let below = |mount: &&Hierarchy| Some(mount.point.join(place.group.strip_prefix(&mount.root).ok()?));
    match mounts.iter().find_map(below) {
        Some(dir) if !dir.components().any(|part| part.as_os_str() == "..") => Ok(dir),
        _ => Err(unseen(place, !mounts.is_empty())),
    }
}

fn is_of(mount: &Hierarchy, place: &Place) -> bool {
    match &mount.kind {
        Version::V2 => place.controllers.is_empty(),
        Version::V1(options) => {
            let has = |controller: &str| options.iter().any(|option| option == controller);
            !place.controllers.is_empty() && place.controllers.split(',').all(has)
        }
    }
}

fn unseen(place: &Place, is_mounted: bool) -> Error {
    let what = format!("join the group {} of the process", show(&place.group));
    let (name, mount) = match place.controllers.as_str() {
        "" => ("version 2".to_owned(), "cgroup2".to_owned()),
        controllers => (controllers.to_owned(), format!("cgroup -o {controllers}")),
    };
    if is_mounted {
        return Error::new(
            what,
            "no mount shows it: it lies outside of your cgroup namespace, or of what is mounted",
        );
    }
    Error::new(what, format_args!("the {name} hierarchy is not mounted here"))
        .hint(format_args!("as root: mount -t {mount} none DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Vec<Hierarchy> {
        let mount =
            |kind, root: &str, point: &str| Hierarchy { kind, root: root.into(), point: point.into() };
        let v1 = |options: &str| Version::V1(options.split(',').map(str::to_owned).collect());
        vec![
            mount(Version::V2, "/", "/cg/unified"),
            mount(v1("rw,cpu,cpuacct"), "/a", "/cg/cpu"),
            mount(v1("rw,xattr,name=systemd"), "/", "/cg/systemd"),
        ]
    }

    #[test]
    fn a_group_is_found_by_its_hierarchy_and_below_what_is_mounted() {
        let table = b"12:cpu,cpuacct:/a/b:c\n1:name=systemd:/s\n0::/u/v\n";
        let dirs: Vec<_> = places(table).iter().map(|place| directory(&mounts(), place).unwrap()).collect();
        assert_eq!(dirs, ["/cg/cpu/b:c", "/cg/systemd/s", "/cg/unified/u/v"].map(PathBuf::from));
    }

    #[test]
    fn what_is_not_seen_is_told() {
        for (line, why) in [
            ("3:cpu,cpuacct:/b", "no mount shows it"),
            ("0::/../x", "no mount shows it"),
            ("4:memory:/x", "the memory hierarchy is not mounted"),
        ] {
            let error = directory(&mounts(), &places(line.as_bytes())[0]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
