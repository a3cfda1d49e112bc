//! Values as the files of the kernel have them: written, and read again.

use crate::vocabulary::keys::Sibling;
use crate::vocabulary::size;
use crate::vocabulary::value::{ALL, Amount, PERIOD, Value};

/// A number, a list, or `max`.
pub fn or_max(value: &Value) -> String {
    or(value, "max")
}

/// The same for v1, where no limit is -1.
pub fn or_minus_one(value: &Value) -> String {
    or(value, "-1")
}

fn or(value: &Value, max: &str) -> String {
    match value {
        Value::Amount(Amount::Number(number)) => number.to_string(),
        Value::List(list) => list.clone(),
        Value::Amount(Amount::Max) | Value::Io(_) => max.to_owned(),
    }
}

/// The two numbers of `cpu.max`.
pub fn quota_and_period(value: &Value) -> String {
    format!("{} {PERIOD}", or_max(value))
}

/// The kernel's own scale, 100 of v2 being 1024 of v1 (sched_weight_from_cgroup in kernel/sched/sched.h).
pub fn shares(value: &Value) -> String {
    scaled(value, |weight| (weight * 1024 + 50) / 100)
}

/// The scale of systemd: up to the default the same, above it 900 steps instead of 9900 (cgroup-util.h there).
pub fn bfq_weight(value: &Value) -> String {
    scaled(value, |weight| if weight <= 100 { weight } else { 100 + (weight - 100) * 900 / 9900 })
}

fn scaled(value: &Value, scale: fn(u64) -> u64) -> String {
    match value {
        Value::Amount(Amount::Number(weight)) => scale(*weight).to_string(),
        other => or_max(other),
    }
}

/// An empty list of v2 means what the group above has; for v1 that is copied from there, see [`crate::plan`].
pub fn list_or_empty(value: &Value) -> String {
    match value {
        Value::List(list) if list == ALL => "\n".to_owned(),
        other => or_max(other),
    }
}

/// A line of `io.max`.
pub fn io_line(value: &Value) -> String {
    match value {
        Value::Io(io) => io.line(),
        other => or_max(other),
    }
}

fn amount(number: u64) -> Option<Value> {
    Some(Value::Amount(Amount::Number(number)))
}

/// v1 has no word for "no limit": it is the largest number of whole pages.
pub fn number(text: &str, _: Sibling<'_>) -> Option<Value> {
    const LARGEST_PAGE: u64 = 1 << 16;
    match text {
        "max" | "-1" => Some(Value::Amount(Amount::Max)),
        text => match text.parse().ok()? {
            number if number > size::MOST - LARGEST_PAGE => Some(Value::Amount(Amount::Max)),
            number => amount(number),
        },
    }
}

/// What v1 counts together with memory, without it.
pub fn swap_of_both(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    let memory = number(sibling("memory.limit_in_bytes")?.trim(), sibling)?;
    match (number(text, sibling)?, memory) {
        (Value::Amount(Amount::Number(both)), Value::Amount(Amount::Number(memory))) => {
            amount(both.saturating_sub(memory))
        }
        _ => Some(Value::Amount(Amount::Max)),
    }
}

fn in_period(quota: &str, period: &str) -> Option<Value> {
    match quota {
        "max" | "-1" => Some(Value::Amount(Amount::Max)),
        quota => {
            let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
            amount(quota.checked_mul(PERIOD)?.checked_div(period)?)
        }
    }
}

/// The quota of `cpu.max`, in [`PERIOD`].
pub fn quota_of_pair(text: &str, _: Sibling<'_>) -> Option<Value> {
    let (quota, period) = text.split_once(' ')?;
    in_period(quota, period)
}

/// The same of v1.
pub fn quota_of_two_files(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    in_period(text, sibling("cpu.cfs_period_us")?.trim())
}

/// With `cpu.idle` it reads 0, and cannot be written.
pub fn weight_text(text: &str, _: Sibling<'_>) -> Option<Value> {
    text.parse().ok().filter(|weight| *weight > 0).and_then(amount)
}

/// Those of a group with `cpu.idle` are 3, and cannot be written.
pub fn weight_of_shares(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    if sibling("cpu.idle").is_some_and(|idle| idle.trim() == "1") {
        return None;
    }
    let shares: u64 = text.parse().ok()?;
    amount(((shares * 100 + 512) / 1024).clamp(1, 10_000))
}

/// `default 100`, and a line for each device that has a weight of its own.
pub fn default_number(text: &str, _: Sibling<'_>) -> Option<Value> {
    let first = text.lines().next()?;
    first.strip_prefix("default ").unwrap_or(first).parse().ok().and_then(amount)
}

/// The other way round than [`bfq_weight`].
pub fn weight_of_bfq(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    match default_number(text, sibling)? {
        Value::Amount(Amount::Number(weight)) if weight > 100 => amount(100 + (weight - 100) * 9900 / 900),
        other => Some(other),
    }
}

/// A list; an empty one is what the group above has.
pub fn list_text(text: &str, _: Sibling<'_>) -> Option<Value> {
    Some(Value::List(if text.is_empty() { ALL.to_owned() } else { text.to_owned() }))
}

/// A key with a line for each device is not read as one value.
pub fn no_single(_: &str, _: Sibling<'_>) -> Option<Value> {
    None
}
