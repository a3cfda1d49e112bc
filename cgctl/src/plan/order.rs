//! What must be written before what, and what cannot be written twice.

use crate::plan::Present;
use crate::vocabulary::value::{Amount, Value};

/// A burst is never more than the quota, and a weight cannot be written while `cpu.idle` is 1 (tg_set_cfs_bandwidth
/// and sched_group_set_shares in kernel/sched/).
pub fn rank(row: &str, value: &Value, present: Present) -> i8 {
    match (row, value) {
        ("cpu.burst", Value::Amount(Amount::Number(burst))) if *burst <= present.burst => -1,
        ("cpu.burst", _) => 1,
        ("cpu.idle", Value::Amount(Amount::Number(0))) => -1,
        ("cpu.idle", _) => 1,
        _ => 0,
    }
}

/// They hold the same, or one of them is a part of the other.
pub fn is_one(first: &str, second: &str) -> bool {
    let quota = ["cpu.cfs_quota_us", "cpu.cfs_period_us"];
    first == second || quota.contains(&first) && quota.contains(&second)
}

/// One of several lines for a file that keeps one for each device.
pub fn is_line(word: &str, file: &str) -> bool {
    let value = word.strip_prefix(file);
    word.starts_with("io=") || value.is_some_and(|value| value.starts_with('=') && value.contains(' '))
}
