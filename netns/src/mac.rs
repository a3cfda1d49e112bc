//! The address of an Ethernet interface.

use chain::{Cannot, Result};
use rustix::rand::{GetRandomFlags, getrandom};
use std::fmt;
use std::str::FromStr;

/// Six bytes, written as `02:00:00:00:00:01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// One that nobody has: six random bytes, with the bits of IEEE 802 that say "a single host's" and "not given by
    /// a maker".
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 6];
        getrandom(&mut bytes, GetRandomFlags::empty()).cannot("get random bytes")?;
        bytes[0] = bytes[0] & !1 | 2;
        Ok(Mac(bytes))
    }
}

impl FromStr for Mac {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let byte = |part: &str| match part.len() {
            2 if part.bytes().all(|byte| byte.is_ascii_hexdigit()) => u8::from_str_radix(part, 16).ok(),
            _ => None,
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        let bytes = bytes.and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
        match bytes.ok_or("it is not six bytes, as in 02:00:00:00:00:01")? {
            [0, 0, 0, 0, 0, 0] => Err("no interface has an address of zeros"),
            [first, ..] if first & 1 == 1 => Err("it is the address of a group: the first byte must be even"),
            bytes => Ok(Mac(bytes)),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        assert_eq!("02:00:00:00:0a:FF".parse::<Mac>().unwrap().to_string(), "02:00:00:00:0a:ff");
        for bad in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:00:00",
            "2:0:0:0:0:1",
            "03:00:00:00:00:01",
            "00:00:00:00:00:00",
            "+2:00:00:00:00:01",
        ] {
            assert!(bad.parse::<Mac>().is_err(), "{bad}");
        }
    }
}
