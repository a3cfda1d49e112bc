//! The table of mounts: proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What a line says of a mount, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount<'a> {
    /// The number of the mount.
    pub id: u64,
    /// The number of the one that it is mounted on.
    pub parent: u64,
    /// What of the file system is mounted, to be unescaped.
    pub root: &'a [u8],
    /// Where it is mounted, to be unescaped.
    pub point: &'a [u8],
    /// The type of the file system.
    pub kind: &'a [u8],
    /// The options of the file system.
    pub options: &'a [u8],
}

/// Reads one line of the table; `None` when it is none.
pub fn parse(line: &[u8]) -> Option<Mount<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let (id, parent) = (number(words.next()?)?, number(words.next()?)?);
    let (root, point) = (words.nth(1)?, words.next()?);
    let mut source = words.skip_while(|word| *word != b"-").skip(1);
    Some(Mount { id, parent, root, point, kind: source.next()?, options: source.nth(1)? })
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Blank, tab, line end and backslash stand there as `\` and three octal digits.
pub fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
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
    fn only_octal_digits_are_codes() {
        assert_eq!(unescape(b"a\\134\\012b\\04"), PathBuf::from("a\\\nb\\04"));
    }

    #[test]
    fn optional_fields_are_passed_over() {
        let line = b"36 29 0:29 /r /p rw,relatime shared:9 master:1 - cgroup2 none rw,nsdelegate";
        let mount = Mount {
            id: 36,
            parent: 29,
            root: b"/r",
            point: b"/p",
            kind: b"cgroup2",
            options: b"rw,nsdelegate",
        };
        assert_eq!(parse(line), Some(mount));
        assert_eq!(parse(b""), None);
    }
}
