//! What one command took, told when it has ended: as text for a person, or as JSON.

use crate::command::counters::{Counters, Unit};
use crate::command::job::Outcome;
use crate::vocabulary::{duration, size};
use chain::child::Ended;
use nix::sys::signal::Signal;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A line for each number, for people.
    Text,
    /// One object, for programs.
    Json,
}

/// The report, ready to be written.
pub fn write(form: Form, name: &str, outcome: &Outcome, counters: &Counters) -> String {
    match form {
        Form::Text => text(name, outcome, counters),
        Form::Json => {
            let mut object = fields(outcome);
            object.insert("name".to_owned(), name.into());
            add_counters(&mut object, counters);
            format!("{}\n", Value::Object(object))
        }
    }
}

/// How the command has ended and how long it took, for this report and for the file of its status.
pub fn fields(outcome: &Outcome) -> Map<String, Value> {
    let (code, signal) = match outcome.ended {
        Ended::Exited(code) => (Some(code), None),
        Ended::Killed(signal) => (None, Some(signal)),
    };
    let object = json!({
        "status": outcome.status(),
        "code": code,
        "signal": signal,
        "timed_out": outcome.is_timed_out(),
        "wall_usec": outcome.wall.as_micros() as u64,
    });
    if let Value::Object(fields) = object { fields } else { Map::new() }
}

/// Adds those that the kernel has counted.
pub fn add_counters(object: &mut Map<String, Value>, counters: &Counters) {
    for (counter, number) in counters.each() {
        object.insert(counter.name.to_owned(), number.into());
    }
}

fn text(name: &str, outcome: &Outcome, counters: &Counters) -> String {
    let rows = [
        ("group", Some(name.to_owned())),
        ("status", Some(status(outcome))),
        ("wall", Some(seconds(outcome.wall.as_micros() as u64))),
        ("cpu", cpu(counters)),
        ("throttled", times(counters)),
        ("memory", at_most(counters, "memory_peak_bytes")),
        ("swap", at_most(counters, "swap_peak_bytes").filter(|_| counters.get("swap_peak_bytes") > Some(0))),
        ("read", counters.get("io_read_bytes").map(size::show)),
        ("written", counters.get("io_written_bytes").map(size::show)),
        ("processes", at_most(counters, "pids_peak")),
        ("oom kills", positive(counters, "oom_kills").map(|count| count.to_string())),
        ("refused", positive(counters, "refused_forks").map(|count| format!("{count} (fork)"))),
    ];
    let mut text = String::new();
    for (label, value) in rows {
        if let Some(value) = value {
            let _ = writeln!(text, "{label:<10} {value}");
        }
    }
    text
}

fn status(outcome: &Outcome) -> String {
    let why = match outcome.ended {
        Ended::Killed(signal) => {
            let name =
                Signal::try_from(signal).map_or(signal.to_string(), |signal| signal.as_str().to_owned());
            format!(" (ended by {name})")
        }
        Ended::Exited(code) if outcome.is_timed_out() => format!(" (its own was {code})"),
        Ended::Exited(_) => String::new(),
    };
    format!("{}{why}", outcome.status())
}

fn cpu(counters: &Counters) -> Option<String> {
    let all = seconds(counters.get("cpu_usec")?);
    let part = |name| counters.get(name).map(seconds);
    Some(match (part("cpu_user_usec"), part("cpu_system_usec")) {
        (Some(user), Some(system)) => format!("{all} (user {user}, system {system})"),
        _ => all,
    })
}

fn times(counters: &Counters) -> Option<String> {
    let count = counters.get("throttled").filter(|count| *count > 0)?;
    Some(format!("{} in {count} periods", seconds(counters.get("throttled_usec")?)))
}

fn at_most(counters: &Counters, name: &str) -> Option<String> {
    let (counter, number) = counters.each().find(|(counter, _)| counter.name == name)?;
    let shown = if counter.unit == Unit::Bytes { size::show(number) } else { number.to_string() };
    Some(format!("{shown} at most"))
}

fn positive(counters: &Counters, name: &str) -> Option<u64> {
    counters.get(name).filter(|count| *count > 0)
}

/// With three decimals.
fn seconds(microseconds: u64) -> String {
    duration::show(Duration::from_millis((microseconds + 500) / 1000))
}
