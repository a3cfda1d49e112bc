//! Waiting for something to become true, with a limit instead of a guess.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(3);

/// A time limit for this machine: `seconds`, times `CHAIN_TESTS_PATIENCE`.
pub fn patience(seconds: u32) -> Duration {
    static FACTOR: OnceLock<u32> = OnceLock::new();
    let factor = FACTOR.get_or_init(|| {
        std::env::var("CHAIN_TESTS_PATIENCE").ok().and_then(|factor| factor.parse().ok()).unwrap_or(1)
    });
    Duration::from_secs(u64::from(seconds * factor))
}

/// Asks until the answer is yes; whether it was within `limit`.
pub fn becomes(limit: Duration, mut is: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if is() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(STEP);
    }
}

/// Asks until the answer is yes, and fails the test when it never is; `what` completes "it never happened that". The
/// limit is for a machine that has a lot else to do.
pub fn eventually(what: &str, is: impl FnMut() -> bool) {
    assert!(becomes(patience(30), is), "it never happened that {what}");
}

/// Checks every row of a table, and fails the test when any row does: each failure is printed on its own.
#[track_caller]
pub fn each<Row>(rows: impl IntoIterator<Item = Row>, check: impl Fn(Row)) {
    let rows: Vec<Row> = rows.into_iter().collect();
    let count = rows.len();
    let fails = |row| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(row))).is_err();
    let failed = rows.into_iter().map(fails).filter(|failed| *failed).count();
    assert!(failed == 0, "{failed} of {count} rows failed, see above");
}
