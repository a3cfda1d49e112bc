//! How options name a user or a group.

use std::ffi::OsStr;
use std::fmt;

/// A user or a group as options name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By number.
    Number(u32),
    /// By name.
    Name(String),
}

impl Key {
    /// A number is one without a sign, leading zeros or other bases, below 4294967295, which setresuid(2) takes for
    /// "leave it". Everything else that begins with a digit is refused.
    pub fn parse(text: &OsStr, what: &str) -> Result<Self, String> {
        let text = text.to_str().ok_or_else(|| format!("{what} is not a name"))?;
        match text.as_bytes() {
            [] => Err(format!("{what} is empty")),
            [b'0'..=b'9', ..] => number(text.as_bytes())
                .map(Key::Number)
                .ok_or_else(|| format!("{what} is neither a name nor a number from 0 to {}", u32::MAX - 1)),
            [first, rest @ ..]
                if (first.is_ascii_alphabetic() || *first == b'_') && rest.iter().all(is_of_name) =>
            {
                Ok(Key::Name(text.to_owned()))
            }
            _ => Err(format!("{what} is not a name: letters, digits and `_.-` make one")),
        }
    }
}

/// useradd(8), CAVEATS; `$` ends the names of machines.
fn is_of_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-$".contains(byte)
}

/// The id that a plain decimal number is.
pub fn number(text: &[u8]) -> Option<u32> {
    let plain = text.iter().all(u8::is_ascii_digit) && (text.len() == 1 || text.first() != Some(&b'0'));
    std::str::from_utf8(text).ok().filter(|_| plain)?.parse().ok().filter(|id| *id != u32::MAX)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Number(id) => id.fmt(f),
            Key::Name(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_told_apart_by_their_first_character() {
        let key = |text: &str| Key::parse(OsStr::new(text), "USER").ok();
        for (text, id) in [("0", 0), ("1000", 1000), ("4294967294", u32::MAX - 1)] {
            assert_eq!(key(text), Some(Key::Number(id)));
        }
        for name in ["root", "_apt", "www-data", "a.b", "machine$"] {
            assert_eq!(key(name), Some(Key::Name(name.to_owned())));
        }
        let wrong =
            "|-1|+1| 0|0 |00|01000|0x10|1000x|1e3|4294967295|4294967296|99999999999|a b|a,b|a/b|a\n|-|$a|é";
        for text in wrong.split('|') {
            assert_eq!(key(text), None, "{text:?}");
        }
    }
}
