//! Whom a command in another root runs as: what was asked for, and what that root makes of it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`key`] | a user or a group as options name it |
//! | [`database`] | the files of the root |

pub mod database;
pub mod key;

use crate::Result;
use database::{Account, Database, GROUPS, USERS};
use key::Key;
use std::ffi::OsStr;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;

/// `USER[:GROUP]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: Key,
    /// The group; otherwise the user's own.
    pub group: Option<Key>,
}

/// Supplementary groups; none of them is a choice too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups(pub Vec<Key>);

/// Understands `USER[:GROUP]`; both are names or numbers.
pub fn parse(text: &OsStr) -> Result<Who, String> {
    let mut parts = text.as_bytes().splitn(2, |byte| *byte == b':').map(OsStr::from_bytes);
    let user = Key::parse(parts.next().unwrap_or_default(), "USER")?;
    let group = parts.next().map(|group| Key::parse(group, "GROUP")).transpose()?;
    Ok(Who { user, group })
}

/// Understands `GROUP[,GROUP]...` or `none`.
pub fn parse_groups(text: &OsStr) -> Result<Groups, String> {
    if text == "none" {
        return Ok(Groups(Vec::new()));
    }
    let keys = text.as_bytes().split(|byte| *byte == b',').map(OsStr::from_bytes);
    keys.map(|key| Key::parse(key, "GROUP")).collect::<Result<_, _>>().map(Groups)
}

/// Looks `who` up in the root. As docker does it: a number need not be in there, and then has group 0 and the home
/// directory `/`; whoever names no group is in all those that have the user as a member; whoever does is in that one.
pub fn find(root: BorrowedFd<'_>, who: &Who) -> Result<Account> {
    let passwd = Database::read(root, &USERS)?;
    let (user, line) = match &who.user {
        Key::Number(id) => (*id, passwd.by_id(*id)?),
        Key::Name(name) => passwd.by_name(name).map(|line| (line.id, Some(line)))?,
    };
    let group = match (&who.group, line) {
        (Some(key), _) => find_groups(root, std::slice::from_ref(key))?[0],
        (None, line) => line.map_or(0, |line| line.group),
    };
    let mut groups = vec![group];
    if let (None, Some(line)) = (&who.group, line) {
        let others = Database::read(root, &GROUPS)?.memberships(line.name())?;
        groups.extend(others.into_iter().filter(|id| *id != group));
    }
    let (name, home) = (line.map(|line| line.name().to_owned()), line.map(|line| line.home()));
    Ok(Account { user, group, groups, name, home: home.unwrap_or_else(|| "/".into()) })
}

/// Looks groups up in the root; a number need not be in there.
pub fn find_groups(root: BorrowedFd<'_>, keys: &[Key]) -> Result<Vec<u32>> {
    let mut database = None;
    let mut find = |key: &Key| match key {
        Key::Number(id) => Ok(*id),
        Key::Name(name) => {
            let database = match &mut database {
                Some(read) => read,
                none => none.insert(Database::read(root, &GROUPS)?),
            };
            database.by_name(name).map(|line| line.id)
        }
    };
    keys.iter().map(&mut find).collect()
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.user),
            None => self.user.fmt(f),
        }
    }
}

impl fmt::Display for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&if keys.is_empty() { "none".to_owned() } else { keys.join(" ") })
    }
}
