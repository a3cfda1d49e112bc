//! Processes and threads: cgroup-v2.rst, "PID Interface Files"; cgroup-v1/pids.rst.

use super::{number, with};
use crate::existing::Group;
use crate::hierarchy::{Hierarchies, file};
use serde_json::{Value, json};

/// Counts of processes and threads.
#[derive(Debug)]
pub struct Pids {
    /// Now.
    pub current: u64,
    /// The most there were; Linux 6.1 and later.
    pub peak: Option<u64>,
    /// The most there may be; `None` for no limit.
    pub limit: Option<u64>,
    /// How often a new one was refused.
    pub refused: Option<u64>,
}

impl Pids {
    /// Reads it, where they are counted.
    pub fn read(group: &Group, all: &Hierarchies) -> Option<Self> {
        let (directory, _) = with(group, "pids", all)?;
        let events = file::read(directory, "pids.events").unwrap_or_default();
        Some(Pids {
            current: number(directory, "pids.current")?,
            peak: number(directory, "pids.peak"),
            limit: number(directory, "pids.max"),
            refused: file::field(&events, "max"),
        })
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "current": self.current, "peak": self.peak, "limit": self.limit, "refused": self.refused })
    }
}
