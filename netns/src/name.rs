//! What a network namespace may be called.

use chain::text::is_name;
use std::fmt;
use std::str::FromStr;

/// A name that is fit for a file, a line of output and a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// `NAME_MAX` of linux/limits.h.
const LONGEST: usize = 255;

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match is_name(text) {
            true if text.len() <= LONGEST => Ok(Name(text.to_owned())),
            true => Err("a name has at most 255 characters"),
            false => Err("a name is made of letters, digits, _ . and -, and begins with a letter or a digit"),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        let longest = "x".repeat(255);
        for good in ["a", "7", "web-1", "a.b_c", "A..", &longest] {
            assert_eq!(good.parse::<Name>().unwrap().as_str(), good);
        }
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "-x", "_x", ".x", "a/b", "../x", "a b", "a\n", "é", "a\0", &long] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
