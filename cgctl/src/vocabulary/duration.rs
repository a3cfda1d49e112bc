//! Spans of time, read and shown as the `timeout` of coreutils takes them.

use crate::vocabulary::size::Decimal;
use chain::text::show as quoted;
use std::time::Duration;

/// Each unit in microseconds; none means seconds.
const UNITS: [(&str, u64); 6] = [
    ("", 1_000_000),
    ("s", 1_000_000),
    ("ms", 1000),
    ("m", 60_000_000),
    ("h", 3_600_000_000),
    ("d", 86_400_000_000),
];

/// Reads `30`, `1.5m`, `2h`, `1d` or `500ms`; 0 is one too.
pub fn parse(text: &str) -> Result<Duration, String> {
    let (number, unit) = Decimal::read(text)?;
    let known = UNITS.iter().find(|(name, _)| *name == unit);
    let (_, factor) = known.ok_or_else(|| format!("{} is not ms, s, m, h or d", quoted(unit)))?;
    number.times(*factor, 1).map(Duration::from_micros)
}

/// The same without 0, with which there would be no time at all.
pub fn parse_positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err("it is no time at all".to_owned()),
        duration => Ok(duration),
    }
}

/// In seconds, with as many decimals as it has, six at most.
pub fn show(duration: Duration) -> String {
    let text = format!("{}.{:06}", duration.as_secs(), duration.subsec_micros());
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let table = [
            ("30", "30s"),
            ("1.5m", "90s"),
            ("2h", "7200s"),
            ("1d", "86400s"),
            ("250ms", "0.25s"),
            ("0", "0s"),
        ];
        for (text, shown) in table {
            assert_eq!(parse(text).map(show).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused_with_the_reason() {
        let table = [
            ("", "not a number"),
            ("-1", "not a number"),
            ("5x", "x is not ms, s, m, h or d"),
            ("5 s", "' s' is not"),
            ("99999999999999999999", "too large"),
            ("9999999999999999d", "too large"),
        ];
        for (text, why) in table {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(why), "{text}: {reason}");
        }
        assert!(parse_positive("0ms").unwrap_err().contains("no time at all"));
    }
}
