//! Where the hierarchies of control groups are mounted.

use chain::mountinfo::{self, unescape};
use chain::{Cannot, Result};
use std::fs;
use std::path::PathBuf;

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub struct Hierarchy {
    /// What distinguishes it.
    pub kind: Version,
    /// The group that is seen at the mount point.
    pub root: PathBuf,
    /// The mount point.
    pub point: PathBuf,
}

/// cgroups(7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Its controllers, or `name=` of a hierarchy without any, among other options of the mount.
    V1(Vec<String>),
    /// The unified hierarchy.
    V2,
}

/// All that this process's mount namespace has, the version 2 one first.
pub fn hierarchies() -> Result<Vec<Hierarchy>> {
    let table = fs::read("/proc/self/mountinfo").cannot("look for control groups in /proc/self/mountinfo")?;
    let mut all: Vec<Hierarchy> = table.split(|byte| *byte == b'\n').filter_map(hierarchy).collect();
    all.sort_by_key(|hierarchy| hierarchy.kind != Version::V2);
    Ok(all)
}

fn hierarchy(line: &[u8]) -> Option<Hierarchy> {
    let mount = mountinfo::parse(line)?;
    let kind = match mount.kind {
        b"cgroup2" => Version::V2,
        b"cgroup" => {
            let options = String::from_utf8_lossy(mount.options);
            Version::V1(options.split(',').map(str::to_owned).collect())
        }
        _ => return None,
    };
    Some(Hierarchy { kind, root: unescape(mount.root), point: unescape(mount.point) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found_with_their_places() {
        let v2 =
            b"36 29 0:29 / /sys/fs/cgroup/uni\\040fied rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate";
        let expected =
            Hierarchy { kind: Version::V2, root: "/".into(), point: "/sys/fs/cgroup/uni fied".into() };
        assert_eq!(hierarchy(v2), Some(expected));
        let v1 = b"30 29 0:30 /../x /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct";
        let controllers = ["rw", "cpu", "cpuacct"].map(str::to_owned).to_vec();
        let expected = Hierarchy {
            kind: Version::V1(controllers),
            root: "/../x".into(),
            point: "/sys/fs/cgroup/cpu".into(),
        };
        assert_eq!(hierarchy(v1), Some(expected));
        assert_eq!(hierarchy(b"22 1 0:20 / /proc rw - proc proc rw"), None);
        assert_eq!(hierarchy(b""), None);
    }
}
