//! What the host's account files say, read as text: a static program asks no name service.

use crate::error::{Error, Result};
use crate::text::show;
use nix::unistd::getuid;
use rustix::fs::OFlags;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

const PASSWD: &str = "/etc/passwd";

/// The id of that number or name in `database`, which is /etc/passwd or /etc/group: passwd(5), group(5).
pub fn find(database: &str, text: &str) -> Option<u32> {
    if let Ok(id) = text.parse() {
        return Some(id).filter(|id| *id != u32::MAX);
    }
    let database = fs::read_to_string(database).ok()?;
    field(&database, 0, text, 2)?.parse().ok()
}

/// The group of users that a user belongs to first of all.
pub fn primary_group(user: u32) -> Option<u32> {
    field(&fs::read_to_string(PASSWD).ok()?, 2, &user.to_string(), 3)?.parse().ok()
}

/// The shell of the calling user.
pub fn own_shell() -> Option<String> {
    of_caller(6).filter(|shell| !shell.is_empty())
}

/// The caller's ranges (first id, count) in `file`, which is /etc/subuid or /etc/subgid: at least one. Both are
/// looked up by user, subgid(5).
pub fn delegated(file: &str) -> Result<Vec<(u32, u32)>> {
    let uid = getuid().to_string();
    let name = of_caller(0).unwrap_or_else(|| uid.clone());
    let text = fs::read_to_string(file).unwrap_or_default();
    let ranges: Vec<_> = text.lines().filter_map(|line| range(line, &[&name, &uid])).collect();
    if ranges.is_empty() {
        return Err(no_range(file, &show(&name)));
    }
    Ok(ranges)
}

fn no_range(file: &str, user: &str) -> Error {
    Error::new("map delegated ids", format_args!("{user} has no line in {file}"))
        .hint(format_args!("as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"))
}

fn range(line: &str, users: &[&str]) -> Option<(u32, u32)> {
    match line.split(':').collect::<Vec<_>>()[..] {
        [user, first, count] if users.contains(&user) => {
            let (first, count): (u32, u32) = (first.parse().ok()?, count.trim().parse().ok()?);
            first.checked_add(count).filter(|_| count > 0).map(|_| (first, count))
        }
        _ => None,
    }
}

fn of_caller(wanted: usize) -> Option<String> {
    let passwd = read(PASSWD)?;
    field(&passwd, 2, &getuid().to_string(), wanted).map(str::to_owned)
}

/// It may be the file of a hostile root by now, and lead to a device without an end or to a fifo without a writer.
fn read(file: &str) -> Option<String> {
    let flags = OFlags::NONBLOCK.bits() as i32;
    let file = File::options().read(true).custom_flags(flags).open(file).ok()?;
    let mut text = String::new();
    file.metadata().ok().filter(fs::Metadata::is_file)?;
    file.take(1 << 20).read_to_string(&mut text).ok().map(|_| text)
}

/// Field `wanted` of the first line whose field `key` is `value`.
fn field<'a>(text: &'a str, key: usize, value: &str, wanted: usize) -> Option<&'a str> {
    text.lines().find(|line| line.split(':').nth(key) == Some(value))?.split(':').nth(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_belong_to_a_user_by_name_or_number() {
        assert_eq!(range("ann:100000:65536", &["ann", "1000"]), Some((100_000, 65_536)));
        assert_eq!(range("1000:1:2", &["ann", "1000"]), Some((1, 2)));
        assert_eq!(range("bob:1:2", &["ann", "1000"]), None);
        assert_eq!(range("ann:1:0", &["ann"]), None);
        assert_eq!(range("ann:4294967295:2", &["ann"]), None);
        assert_eq!(range("ann:x:2", &["ann"]), None);
    }

    #[test]
    fn names_and_numbers_are_ids() {
        assert_eq!(find(PASSWD, "root"), Some(0));
        assert_eq!(find(PASSWD, "17"), Some(17));
        assert_eq!(find(PASSWD, "4294967295"), None);
        assert_eq!(find(PASSWD, "no such user"), None);
        assert_eq!(find("/no/such/file", "root"), None);
        assert_eq!(primary_group(0), Some(0));
        assert_eq!(primary_group(u32::MAX), None);
    }
}
