//! Values as the user writes them, checked against what the kernel takes.

use crate::vocabulary::size::{self, Decimal};
use crate::vocabulary::value::{Amount, PERIOD, Value};
use chain::text::show;

type Parsed = Result<Value, String>;

const MAX: Value = Value::Amount(Amount::Max);

fn number(number: u64) -> Value {
    Value::Amount(Amount::Number(number))
}

/// Bytes, a share of the machine's memory, or max.
pub fn bytes(text: &str, least: u64) -> Parsed {
    or_max(text, |text| size::bytes(text, total_memory).and_then(|bytes| within(bytes, least, size::MOST)))
}

/// Bytes, a share of the machine's swap, or max.
pub fn swap(text: &str) -> Parsed {
    or_max(text, |text| size::bytes(text, total_swap))
}

/// The kernel rounds what is no multiple of the page size down, without a word.
pub fn page_multiple(text: &str, page: &str) -> Parsed {
    or_max(text, |text| {
        let (bytes, page_size) =
            (size::bytes(text, total_memory)?, size::bytes(&page.replace('B', ""), || 0)?);
        match bytes.is_multiple_of(page_size.max(1)) {
            true => Ok(bytes),
            false => Err(format!("it is no multiple of the page size {page}")),
        }
    })
}

/// A whole number of things, or max.
pub fn count(text: &str, least: u64, most: u64) -> Parsed {
    or_max(text, |text| whole(text).and_then(|count| within(count, least, most)))
}

/// A whole number from 1 to 10000.
pub fn weight(text: &str) -> Parsed {
    whole(text).and_then(|weight| within(weight, 1, 10_000)).map(number)
}

/// No or yes.
pub fn flag(text: &str) -> Parsed {
    match text {
        "0" => Ok(number(0)),
        "1" => Ok(number(1)),
        other => Err(format!("{} is neither 0 nor 1", show(other))),
    }
}

/// The kernel wants at least 1 ms in each period, and less than 2 to the power of 44 microseconds
/// (tg_set_cfs_bandwidth in kernel/sched/core.c).
pub fn quota(text: &str) -> Parsed {
    or_max(text, |text| match in_period(text)? {
        0..1000 => Err("the least is 0.01".to_owned()),
        quota => Ok(quota),
    })
}

/// The same without a least.
pub fn share_of_period(text: &str) -> Parsed {
    in_period(text).map(number)
}

fn in_period(text: &str) -> Result<u64, String> {
    let time = match Decimal::read(text)? {
        (cores, "") => cores.times(PERIOD, 1),
        (percent, "%") => percent.times(PERIOD, 100),
        (_, unit) => Err(format!("{} is not a unit of it", show(unit))),
    }?;
    if time >= 1 << 44 { Err("the number is too large".to_owned()) } else { Ok(time) }
}

fn or_max(text: &str, read: impl FnOnce(&str) -> Result<u64, String>) -> Parsed {
    if text == "max" { Ok(MAX) } else { read(text).map(number) }
}

fn whole(text: &str) -> Result<u64, String> {
    match Decimal::read(text)? {
        (number, "") if !text.contains('.') => number.times(1, 1),
        _ => Err(format!("{} is not a whole number", show(text))),
    }
}

fn within(number: u64, least: u64, most: u64) -> Result<u64, String> {
    match number {
        number if number < least => Err(format!("the least is {least}")),
        number if number > most => Err(format!("the most is {most}")),
        number => Ok(number),
    }
}

fn total_memory() -> u64 {
    let system = rustix::system::sysinfo();
    system.totalram as u64 * u64::from(system.mem_unit)
}

fn total_swap() -> u64 {
    let system = rustix::system::sysinfo();
    system.totalswap as u64 * u64::from(system.mem_unit)
}
