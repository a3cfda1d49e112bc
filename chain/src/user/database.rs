//! Users and groups of the new root, read from its /etc/passwd and /etc/group by rules that leave nothing to guess: no
//! line of a hostile root can make another user of the one that was meant. passwd(5), group(5).
//!
//! A line counts when its key is, byte for byte, what is looked for; all others are passed over, whatever they hold. One
//! that counts must be whole: as many fields as there are to be, and ids that are plain decimal numbers. A name must be
//! there once.

use super::key::number;
use crate::text::show;
use crate::within::open_as;
use crate::{Cannot, Error, Result};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// More than any real one has.
const MAX_SIZE: u64 = 4 << 20;

/// Whom the command runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its user id.
    pub user: u32,
    /// Its group id.
    pub group: u32,
    /// All groups that it is in.
    pub groups: Vec<u32>,
    /// Its name, if it has one.
    pub name: Option<OsString>,
    /// Its home directory.
    pub home: PathBuf,
}

/// One of the two files.
#[derive(Debug)]
pub struct File {
    path: &'static str,
    /// What it lists, for messages.
    kind: &'static str,
    fields: usize,
}

/// passwd(5)
pub const USERS: File = File { path: "/etc/passwd", kind: "user", fields: 7 };
/// group(5)
pub const GROUPS: File = File { path: "/etc/group", kind: "group", fields: 4 };

/// What is in it; nothing where the root has none.
#[derive(Debug)]
pub struct Database {
    file: &'static File,
    text: Option<Vec<u8>>,
}

/// A line of one that counts.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    fields: [&'a [u8]; 7],
    /// The user's or the group's own id.
    pub id: u32,
    /// The group's id, of both.
    pub group: u32,
}

impl<'a> Line<'a> {
    /// The name.
    pub fn name(&self) -> &'a OsStr {
        OsStr::from_bytes(self.fields[0])
    }

    /// The home directory of a user; `/` when that is none.
    pub fn home(&self) -> PathBuf {
        let home = PathBuf::from(OsString::from_vec(self.fields[5].to_vec()));
        if home.is_absolute() { home } else { "/".into() }
    }
}

impl Database {
    /// Reads the file of the root, wherever in there a link leads. Anything but a plain file is refused before it is
    /// opened, as that can be a fifo that nobody writes to or a device that does something; one that takes the place of a
    /// plain file meanwhile is not waited for.
    pub fn read(root: BorrowedFd<'_>, file: &'static File) -> Result<Self> {
        let what = || format!("look a {} up in {} of the new root", file.kind, file.path);
        let open = |flags| open_as(root, Path::new(file.path), flags);
        match open(OFlags::PATH) {
            Err(Errno::NOENT) => return Ok(Database { file, text: None }),
            seen => plain(&seen.cannot_with(what)?, what)?,
        }
        let opened = open(OFlags::NONBLOCK | OFlags::NOCTTY).cannot_with(what)?;
        plain(&opened, what)?;
        let mut text = Vec::new();
        fs::File::from(opened).take(MAX_SIZE + 1).read_to_end(&mut text).cannot_with(what)?;
        if text.len() as u64 > MAX_SIZE {
            return Err(Error::new(what(), "it has more than 4 MiB"));
        }
        Ok(Database { file, text: Some(text) })
    }

    /// The line of that name, which must be there once.
    pub fn by_name(&self, name: &str) -> Result<Line<'_>> {
        let File { path, kind, .. } = self.file;
        let wrong = |why: String| Error::new(format_args!("find the {kind} {name}"), why);
        let mut lines = self.with(0, name.as_bytes());
        match (lines.next(), lines.next()) {
            (Some(line), None) => self.parse(line).map_err(wrong),
            (_, Some((place, _))) => {
                Err(wrong(format!("{path} of the new root has it again in line {place}")))
            }
            _ if self.text.is_none() => {
                Err(wrong(format!("the new root has no {path}")).hint("a number needs none"))
            }
            _ => Err(wrong(format!("{path} of the new root does not have it"))),
        }
    }

    /// The first line of that id, as getpwuid(3) finds it.
    pub fn by_id(&self, id: u32) -> Result<Option<Line<'_>>> {
        let wrong = |why: String| Error::new(format_args!("find the {} {id}", self.file.kind), why);
        let line = self.with(2, id.to_string().as_bytes()).next();
        line.map(|line| self.parse(line).map_err(wrong)).transpose()
    }

    /// The ids of all groups that have `user` as a member.
    pub fn memberships(&self, user: &OsStr) -> Result<Vec<u32>> {
        let has = |line: &[u8]| {
            let members = line.split(is_colon).nth(3).unwrap_or_default();
            members.split(|byte| *byte == b',').any(|member| member == user.as_bytes())
        };
        let wrong = |why: String| Error::new(format_args!("find the groups of {}", show(user)), why);
        let lines = self.lines().filter(|(_, line)| has(line));
        lines.map(|line| self.parse(line).map(|line| line.id).map_err(wrong)).collect()
    }

    fn with<'a>(&'a self, column: usize, key: &[u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
        self.lines().filter(move |(_, line)| line.split(is_colon).nth(column) == Some(key))
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        (1..).zip(self.text.as_deref().unwrap_or_default().split(|byte| *byte == b'\n'))
    }

    fn parse<'a>(&self, (place, line): (usize, &'a [u8])) -> Result<Line<'a>, String> {
        let File { path, fields, .. } = *self.file;
        let wrong = |why: String| format!("line {place} of {path} of the new root has {why}");
        let found = line.split(is_colon).count();
        if found != fields {
            return Err(wrong(format!("{found} fields, not {fields}")));
        }
        let mut all: [&[u8]; 7] = [b""; 7];
        all.iter_mut().zip(line.split(is_colon)).for_each(|(field, found)| *field = found);
        let id = |field: &[u8]| {
            number(field).ok_or_else(|| wrong(format!("{} for an id", show(OsStr::from_bytes(field)))))
        };
        match all[0] {
            [] => Err(wrong("no name".to_owned())),
            _ if fields == USERS.fields => Ok(Line { id: id(all[2])?, group: id(all[3])?, fields: all }),
            _ => Ok(Line { id: id(all[2])?, group: id(all[2])?, fields: all }),
        }
    }
}

fn is_colon(byte: &u8) -> bool {
    *byte == b':'
}

fn plain(file: &OwnedFd, what: impl Fn() -> String) -> Result<()> {
    let stat = fstat(file).cannot_with(&what)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(()),
        _ => Err(Error::new(what(), "it is not a plain file")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(file: &'static File, text: &str) -> Database {
        Database { file, text: Some(text.as_bytes().to_vec()) }
    }

    fn id(text: &str, name: &str) -> Option<u32> {
        database(&USERS, text).by_name(name).ok().map(|line| line.id)
    }

    #[test]
    fn a_name_must_stand_in_one_whole_line() {
        let good = "root:x:0:0:root:/root:/bin/sh\n";
        assert_eq!(id(good, "root"), Some(0));
        let rows = [
            "root:x:0:0:root:/root",
            "root:x:0:0:root:/root:/bin/sh:",
            "root:x:00:0:root:/root:/bin/sh",
            "root:x:+0:0:root:/root:/bin/sh",
            "root:x: 0:0:root:/root:/bin/sh",
            "root:x::0:root:/root:/bin/sh",
            "root:x:4294967295:0:root:/root:/bin/sh",
            "root:x:0x0:0:root:/root:/bin/sh",
            " root:x:0:0:root:/root:/bin/sh",
            "root :x:0:0:root:/root:/bin/sh",
            "root",
            "#root:x:0:0:root:/root:/bin/sh",
            "root\0:x:0:0:root:/root:/bin/sh",
            "x:root:0:0:root:/root:/bin/sh",
            "",
        ];
        for row in rows {
            assert_eq!(id(row, "root"), None, "{row:?}");
        }
        assert_eq!(id(&format!("{good}{good}"), "root"), None);
        assert_eq!(id(&format!("junk\n\n+::::::\n{good}app:x:5:5:::\n"), "app"), Some(5));
    }

    #[test]
    fn groups_are_those_with_the_whole_name_among_their_members() {
        let group = database(&GROUPS, "a:x:1:app\nb:x:2:xapp,appx\nc:x:3:x,app\napp:x:4:\nd:app:5:\n");
        assert_eq!(group.memberships(OsStr::new("app")), Ok(vec![1, 3]));
        assert!(database(&GROUPS, "a:x:1:app:\n").memberships(OsStr::new("app")).is_err());
        assert!(database(&GROUPS, "a:x:-1:app\n").memberships(OsStr::new("app")).is_err());
    }

    #[test]
    fn a_number_takes_the_first_line_that_has_it() {
        let passwd = database(&USERS, "a:x:5:6:::\nb:x:5:7:::\n:x:8:8:::\nc:x:9:x:::\n");
        assert_eq!(
            passwd.by_id(5).unwrap().map(|line| (line.name(), line.group)),
            Some((OsStr::new("a"), 6))
        );
        assert!(passwd.by_id(4).unwrap().is_none());
        assert!(passwd.by_id(8).is_err() && passwd.by_id(9).is_err());
    }
}
