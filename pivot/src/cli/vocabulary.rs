//! The words that may stand in OPTIONS: tables, and what their values may be.

use chain::sys::mount::{
    ATIME, NOATIME, NODEV, NODIRATIME, NOEXEC, NOSUID, NOSYMFOLLOW, PRIVATE, RDONLY, SHARED, SLAVE,
    STRICTATIME, UNBINDABLE,
};

/// A word of OPTIONS, and what it does.
#[derive(Debug)]
pub struct Word {
    /// As it stands there.
    pub name: &'static str,
    /// What it does.
    pub effect: Effect,
}

/// What a word does.
#[derive(Debug)]
pub enum Effect {
    /// Attributes are taken away, then others set.
    Attributes(u64, u64),
    /// A propagation type.
    Propagation(u64),
    /// Nothing that is mounted below comes with it.
    TopOnly,
    /// `idmap=MAP`
    Ids,
    /// `NAME=VALUE` for the file system, and what is a value.
    Value(fn(&str) -> Result<(), &'static str>),
    /// `NAME=VALUE` with any value.
    Name,
    /// A name and a value for the file system, in one word.
    Fixed(&'static str, &'static str),
}

const fn word(name: &'static str, effect: Effect) -> Word {
    Word { name, effect }
}

/// Attributes of any mount.
pub const ATTRIBUTES: &[Word] = &[
    word("ro", Effect::Attributes(0, RDONLY)),
    word("rw", Effect::Attributes(RDONLY, 0)),
    word("nosuid", Effect::Attributes(0, NOSUID)),
    word("suid", Effect::Attributes(NOSUID, 0)),
    word("nodev", Effect::Attributes(0, NODEV)),
    word("dev", Effect::Attributes(NODEV, 0)),
    word("noexec", Effect::Attributes(0, NOEXEC)),
    word("exec", Effect::Attributes(NOEXEC, 0)),
    word("nosymfollow", Effect::Attributes(0, NOSYMFOLLOW)),
    word("noatime", Effect::Attributes(ATIME, NOATIME)),
    word("relatime", Effect::Attributes(ATIME, 0)),
    word("strictatime", Effect::Attributes(ATIME, STRICTATIME)),
    word("nodiratime", Effect::Attributes(0, NODIRATIME)),
];

/// What only a bind has.
pub const BIND: &[Word] = &[
    word("norec", Effect::TopOnly),
    word("private", Effect::Propagation(PRIVATE)),
    word("slave", Effect::Propagation(SLAVE)),
    word("shared", Effect::Propagation(SHARED)),
    word("unbindable", Effect::Propagation(UNBINDABLE)),
    word("idmap", Effect::Ids),
];

/// tmpfs(5)
pub const TMPFS: &[Word] = &[
    word("size", Effect::Value(size)),
    word("nr_inodes", Effect::Value(count)),
    word("mode", Effect::Value(mode)),
    word("uid", Effect::Value(id)),
    word("gid", Effect::Value(id)),
];

/// What changes that are kept in memory have.
pub const SIZE: &[Word] = &[word("size", Effect::Value(size))];

/// What changes that are kept have.
pub const WORK: &[Word] = &[word("work", Effect::Name)];

/// What a file or directory of our own making has.
pub const OWNED: &[Word] =
    &[word("mode", Effect::Value(mode)), word("uid", Effect::Value(id)), word("gid", Effect::Value(id))];

/// What a file in memory has.
pub const FILE: &[Word] =
    &[word("ro", Effect::Attributes(0, RDONLY)), word("rw", Effect::Attributes(RDONLY, 0))];

/// proc(5)
pub const PROC: &[Word] = &[
    word("pid", Effect::Fixed("subset", "pid")),
    word("hidepid", Effect::Value(hidepid)),
    word("gid", Effect::Value(id)),
];

/// The kernel's filesystems/devpts.
pub const DEVPTS: &[Word] = &[
    word("mode", Effect::Value(mode)),
    word("ptmxmode", Effect::Value(mode)),
    word("uid", Effect::Value(id)),
    word("gid", Effect::Value(id)),
    word("max", Effect::Value(id)),
];

/// A size as tmpfs(5) has it.
pub fn size(text: &str) -> Result<(), &'static str> {
    let number = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G', '%']).unwrap_or(text);
    is_number(number).then_some(()).ok_or("it is a number of bytes, of k, m or g, or of % of the memory")
}

fn count(text: &str) -> Result<(), &'static str> {
    let number = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']).unwrap_or(text);
    is_number(number).then_some(()).ok_or("it is a number, of k, m or g too")
}

fn id(text: &str) -> Result<(), &'static str> {
    let is_id = is_number(text) && text.parse::<u32>().is_ok_and(|id| id != u32::MAX);
    is_id.then_some(()).ok_or("it is a number")
}

fn mode(text: &str) -> Result<(), &'static str> {
    octal(text).map(drop)
}

fn hidepid(text: &str) -> Result<(), &'static str> {
    let is_known = ["0", "1", "2", "4", "off", "noaccess", "invisible", "ptraceable"].contains(&text);
    is_known.then_some(()).ok_or("it is off, noaccess, invisible or ptraceable")
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok()
}

/// Permission bits.
pub fn octal(text: &str) -> Result<u32, &'static str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = u32::from_str_radix(text, 8).ok().filter(|bits| digits && *bits <= 0o7777);
    bits.ok_or("it is an octal number up to 7777")
}
