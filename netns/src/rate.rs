//! How much a host may send or get in a second.

use std::fmt;
use std::str::FromStr;

/// Bits in a second: a number with `k`, `m` or `g` for thousands, millions or billions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    bits: u64,
}

/// What is less cannot be kept to: a packet alone takes a second.
const LEAST: u64 = 16_000;
/// What more there is nobody notices.
const MOST: u64 = 100_000_000_000;

impl Rate {
    /// The same in bytes.
    pub fn bytes(self) -> u64 {
        self.bits / 8
    }
}

impl FromStr for Rate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, unit) = match text.char_indices().last() {
            Some((end, 'k' | 'K')) => (&text[..end], 1_000),
            Some((end, 'm' | 'M')) => (&text[..end], 1_000_000),
            Some((end, 'g' | 'G')) => (&text[..end], 1_000_000_000),
            _ => (text, 1),
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<u64>().ok().filter(|_| is_number);
        let number = number.ok_or("it is not a number of bits in a second, as in 50m")?;
        let bits = number.checked_mul(unit).filter(|bits| (LEAST..=MOST).contains(bits));
        bits.map(|bits| Rate { bits }).ok_or("it is not from 16k to 100g bits in a second")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bits in a second", self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_thousands() {
        for (text, bytes) in [("16000", 2_000), ("16k", 2_000), ("50m", 6_250_000), ("1G", 125_000_000)] {
            assert_eq!(text.parse::<Rate>().unwrap().bytes(), bytes);
        }
        for bad in ["", "m", "1", "-1m", "+50m", "1.5m", "50mb", "101g", "99999999999999999999g"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }
}
