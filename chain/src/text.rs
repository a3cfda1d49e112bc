//! Names made fit for a terminal: an error message must not be able to move the cursor.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Replaces control characters, and the marks that reorder text, by `\x1b`-style escapes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            let _ = write!(safe, "\\x{:02x}", c as u32);
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A name as an error message shows it: bare when it is plain, else quoted as the shell would accept it.
pub fn show(name: impl AsRef<OsStr>) -> String {
    let text = name.as_ref().to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,~".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", escape(&text).replace('\'', r"'\''"))
}

/// The one of `names` that `word` was probably meant to be: at most two slips away.
pub fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let close = names.map(|name| (slips(word.as_bytes(), name.as_bytes()), name));
    close.filter(|(slips, name)| *slips <= 2 && *slips < name.len()).min().map(|(_, name)| name)
}

/// How many letters must be put in, left out, replaced or swapped with the next: the optimal string alignment distance.
fn slips(a: &[u8], b: &[u8]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let other = usize::from(a[i - 1] != b[j - 1]);
                    (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + other)
                }
            };
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[a.len()][b.len()]
}

/// Whether `name` is fit for a group, a network namespace or a container: `[A-Za-z0-9][A-Za-z0-9_.-]*`, which is
/// the same as a file name, in a shell and in a message.
pub fn is_name(name: impl AsRef<OsStr>) -> bool {
    let is_next = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    match name.as_ref().as_bytes() {
        [first, rest @ ..] => first.is_ascii_alphanumeric() && rest.iter().all(is_next),
        [] => false,
    }
}

/// `__NEW_UTS_LEN` of linux/utsname.h.
const HOST_NAME_MAX: usize = 64;

/// Refuses what cannot be a host name or a domain name, and says why.
pub fn check_host_name(name: &OsStr) -> Result<(), &'static str> {
    match name.as_bytes() {
        [] => Err("it is empty"),
        bytes if bytes.len() > HOST_NAME_MAX => Err("it is longer than 64 bytes"),
        bytes if bytes.iter().any(u8::is_ascii_control) => Err("it has control characters"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_or_two_still_tell_what_was_meant() {
        let closest = |word| closest(word, ["CHOWN", "NET_RAW", "BPF"].into_iter());
        assert_eq!(closest("NET_RWA"), Some("NET_RAW"));
        assert_eq!(closest("CHWN"), Some("CHOWN"));
        assert_eq!(closest("NETRAW"), Some("NET_RAW"));
        assert_eq!(closest("PASSWD"), None);
        assert_eq!(closest(""), None);
    }

    #[test]
    fn plain_names_stay_and_odd_ones_are_quoted() {
        assert_eq!(show("/usr/bin/sh"), "/usr/bin/sh");
        assert_eq!(show("é"), "é");
        assert_eq!(show(""), "''");
        assert_eq!(show("a b"), "'a b'");
        assert_eq!(show("it's"), r"'it'\''s'");
        assert_eq!(show("\u{1b}[2J\n"), r"'\x1b[2J\x0a'");
        assert_eq!(show("a\u{202e}b"), r"'a\x202eb'");
    }
}
