//! Where the hierarchies of control groups are mounted: proc_pid_mountinfo(5).

use chain::{Cannot, Result};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
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
    let mut words = line.split(|byte| *byte == b' ');
    let (root, point) = (words.nth(3)?, words.next()?);
    let mut source = words.skip_while(|word| *word != b"-").skip(1);
    let kind = match source.next()? {
        b"cgroup2" => Version::V2,
        b"cgroup" => {
            let options = String::from_utf8_lossy(source.nth(1)?).into_owned();
            Version::V1(options.split(',').map(str::to_owned).collect())
        }
        _ => return None,
    };
    Some(Hierarchy { kind, root: path(root), point: path(point) })
}

/// Blank, tab, line end and backslash stand there as `\` and three octal digits.
fn path(escaped: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [first, tail @ ..] = rest {
        let code =
            tail.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    OsString::from_vec(bytes).into()
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

    #[test]
    fn only_octal_digits_are_codes() {
        assert_eq!(path(b"a\\134\\012b\\04"), PathBuf::from("a\\\nb\\04"));
    }
}
