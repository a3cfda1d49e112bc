//! What a key can be set to, as the user writes it.

use crate::vocabulary::device::Io;
use crate::vocabulary::size;
use chain::text::show;

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// No limit.
    Max,
    /// Bytes, processes, microseconds in each [`PERIOD`], or a weight.
    Number(u64),
}

/// The period of the processor quota, in microseconds: the kernel's default.
pub const PERIOD: u64 = 100_000;

/// The value of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A limit or another number.
    Amount(Amount),
    /// A list of processors or memory nodes, or [`ALL`].
    List(String),
    /// Limits of one device.
    Io(Io),
}

/// Every processor or memory node that the group above has.
pub const ALL: &str = "all";

/// What the numbers of a key count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things, or a weight.
    One,
    /// Bytes.
    Byte,
    /// Hundred-thousandths of a core.
    Core,
}

/// A value in the vocabulary: reading it again gives the same value.
pub fn text(value: &Value, unit: Unit) -> String {
    match value {
        Value::Amount(Amount::Max) => "max".to_owned(),
        Value::Amount(Amount::Number(number)) => match unit {
            Unit::One => number.to_string(),
            Unit::Byte => size::exact(*number),
            Unit::Core => cores(*number),
        },
        Value::List(list) => list.clone(),
        Value::Io(io) => io.to_string(),
    }
}

/// A value for a program: numbers of bytes, cores or things, and text for what is none.
pub fn json(value: &Value, unit: Unit) -> serde_json::Value {
    match value {
        Value::Amount(Amount::Number(number)) if unit == Unit::Core => {
            serde_json::json!(*number as f64 / PERIOD as f64)
        }
        Value::Amount(Amount::Number(number)) => serde_json::json!(number),
        Value::Io(io) => io.json(),
        other => serde_json::json!(text(other, unit)),
    }
}

fn cores(quota: u64) -> String {
    let (whole, rest) = (quota / PERIOD, quota % PERIOD);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:05}").trim_end_matches('0').to_owned() }
}

/// Reads a list of numbers and ranges, as `0-1,3`, or `all`.
pub fn list(text: &str) -> Result<Value, String> {
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    let is_part = |part: &str| match part.split_once('-') {
        None => number(part).is_some(),
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
    };
    match text.split(',').find(|part| text != ALL && !is_part(part)) {
        Some(part) => Err(format!("{} is neither a number nor a range", show(part))),
        None => Ok(Value::List(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_they_are_read() {
        let number = |number| Value::Amount(Amount::Number(number));
        for (value, unit, written) in [
            (number(64 << 20), Unit::Byte, "64M"),
            (number(1_000_000), Unit::Byte, "1000000"),
            (number(50_000), Unit::Core, "0.5"),
            (number(150_000), Unit::Core, "1.5"),
            (number(33_333), Unit::Core, "0.33333"),
            (number(100_001), Unit::Core, "1.00001"),
            (number(200_000), Unit::Core, "2"),
            (number(7), Unit::One, "7"),
            (Value::Amount(Amount::Max), Unit::Core, "max"),
            (Value::List("0-1,3".to_owned()), Unit::One, "0-1,3"),
        ] {
            assert_eq!(text(&value, unit), written);
        }
        assert_eq!(json(&number(50_000), Unit::Core), serde_json::json!(0.5));
        assert_eq!(json(&Value::Amount(Amount::Max), Unit::Byte), serde_json::json!("max"));
    }

    #[test]
    fn lists_are_numbers_and_ranges() {
        for good in ["0", "0-1", "0-1,3", "all"] {
            assert!(list(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "1-", "-1", "2-1", "0,,1", "0;1", "+1", "max", "all,1"] {
            assert!(list(bad).is_err(), "{bad}");
        }
    }
}
