//! Numbers with units, read and written without floating point.

/// Powers of 1024, as the kernel counts memory.
const UNITS: [(char, u32); 5] = [('k', 1), ('m', 2), ('g', 3), ('t', 4), ('p', 5)];

/// The most bytes that a limit can be: the kernel counts them in a signed 64-bit number.
pub const MOST: u64 = i64::MAX as u64;

/// A decimal number such as `1.5`: `digits` divided by ten to the power of `places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    digits: u64,
    places: u32,
}

impl Decimal {
    /// Reads the number at the start of `text`, and gives what follows it.
    pub fn read(text: &str) -> Result<(Self, &str), String> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
            return Err(format!("{} is not a number", chain::text::show(text)));
        }
        let fraction = &fraction[..fraction.len().min(9)];
        let digits =
            format!("{whole}{fraction}").parse().map_err(|_| "the number is too large".to_owned())?;
        Ok((Decimal { digits, places: fraction.len() as u32 }, rest))
    }

    /// The number times `numerator` divided by `denominator`, rounded down.
    pub fn times(self, numerator: u64, denominator: u64) -> Result<u64, String> {
        let product = u128::from(self.digits) * u128::from(numerator);
        let quotient = product / u128::from(denominator) / 10_u128.pow(self.places);
        u64::try_from(quotient)
            .ok()
            .filter(|number| *number <= MOST)
            .ok_or("the number is too large".to_owned())
    }
}

/// Reads bytes: `64M`, `1.5G`, `64MiB` (powers of 1024), `64MB` (powers of 1000), or `50%` of `whole`.
pub fn bytes(text: &str, whole: impl FnOnce() -> u64) -> Result<u64, String> {
    let (number, unit) = Decimal::read(text)?;
    match unit {
        "%" => number.times(whole(), 100),
        unit => {
            let factor = factor(unit).ok_or_else(|| format!("{} is not a unit", chain::text::show(unit)))?;
            number.times(factor, 1)
        }
    }
}

fn factor(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    let mut letters = unit.chars();
    let Some(first) = letters.next().filter(|first| *first != 'b') else {
        return matches!(unit.as_str(), "" | "b").then_some(1);
    };
    let (_, power) = UNITS.into_iter().find(|(letter, _)| *letter == first)?;
    match letters.as_str() {
        "" | "i" | "ib" => Some(1024_u64.pow(power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

/// What a unit of plain numbers stands for: `k`, `M` and `G` are powers of 1000.
pub fn thousands(unit: &str) -> Result<u64, String> {
    match unit {
        "" => Ok(1),
        "k" => Ok(1000),
        "M" => Ok(1_000_000),
        "G" => Ok(1_000_000_000),
        unit => Err(format!("{} is not a unit", chain::text::show(unit))),
    }
}

/// Bytes in the largest unit that divides them: reading it again gives the same number.
pub fn exact(bytes: u64) -> String {
    let divides = |(_, power): &&(char, u32)| bytes > 0 && bytes.is_multiple_of(1024_u64.pow(*power));
    match UNITS.iter().rev().find(divides) {
        None => bytes.to_string(),
        Some(('k', power)) => format!("{}k", bytes / 1024_u64.pow(*power)),
        Some((letter, power)) => format!("{}{}", bytes / 1024_u64.pow(*power), letter.to_ascii_uppercase()),
    }
}

/// Bytes as a person reads them, exact where the unit divides them, else with one decimal.
pub fn show(bytes: u64) -> String {
    let unit = UNITS.iter().rev().map(|(letter, power)| (letter.to_ascii_uppercase(), 1024_u64.pow(*power)));
    match unit.into_iter().find(|(_, size)| bytes >= *size) {
        None => bytes.to_string(),
        Some((letter, size)) if bytes.is_multiple_of(size) => {
            format!("{}{}", bytes / size, letter.to_string().replace('K', "k"))
        }
        Some((letter, size)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(size);
            format!("{}.{}{}", tenths / 10, tenths % 10, letter.to_string().replace('K', "k"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_written() {
        const M: u64 = 1 << 20;
        let good = [
            ("0", 0),
            ("4096", 4096),
            ("7B", 7),
            ("64M", 64 * M),
            ("64m", 64 * M),
            ("64Mi", 64 * M),
            ("64MiB", 64 * M),
            ("64MB", 64_000_000),
            ("64k", 65536),
            ("1kB", 1000),
            ("1.5G", 1536 * M),
            ("0.1k", 102),
            ("1.0000000001k", 1024),
            ("2T", 2 << 40),
            ("50%", 500),
            ("12.5%", 125),
            ("9223372036854775807", MOST),
        ];
        for (text, bytes_of_it) in good {
            assert_eq!(bytes(text, || 1000), Ok(bytes_of_it), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_reason() {
        let bad = [
            ("", "not a number"),
            ("M", "not a number"),
            ("-1", "not a number"),
            ("+1", "not a number"),
            (".5M", "not a number"),
            ("5.M", "not a number"),
            ("1.2.3", "not a number"),
            ("0x10", "x10 is not a unit"),
            ("64X", "X is not a unit"),
            ("64 M", "' M' is not a unit"),
            ("64MM", "MM is not a unit"),
            ("64bb", "bb is not a unit"),
            ("1e3", "e3 is not a unit"),
            ("9223372036854775808", "too large"),
            ("99999999999999999999", "too large"),
            ("16384P", "too large"),
        ];
        for (text, why) in bad {
            let reason = bytes(text, || 1000).unwrap_err();
            assert!(reason.contains(why), "{text}: {reason}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        let shown = [
            (0, "0"),
            (1023, "1023"),
            (4096, "4k"),
            (67_108_864, "64M"),
            (67_100_000, "63.9M"),
            (3 << 29, "1.5G"),
        ];
        for (number, text) in shown {
            assert_eq!(show(number), text);
        }
        assert_eq!(show(u64::MAX), "16383.9P");
    }
}
