//! Processes and threads: cgroup-v2.rst, "PID Interface Files"; cgroup-v1/pids.rst.

use super::with;
use crate::group::{Directories, Directory};
use crate::hierarchy::file::{self, number};
use crate::hierarchy::{Hierarchies, Version, tree};
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
    pub fn read(group: &impl Directories, all: &Hierarchies) -> Option<Self> {
        let (directory, _) = with(group, "pids", all)?;
        Some(Pids {
            current: number(directory, "pids.current")?,
            peak: number(directory, "pids.peak"),
            limit: number(directory, "pids.max"),
            refused: refused_forks(directory),
        })
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        json!({ "current": self.current, "peak": self.peak, "limit": self.limit, "refused": self.refused })
    }
}

/// How often fork(2) was refused in the group and below it. Since Linux 6.11 v2 counts where the limit is, and upwards
/// from there; before, and in v1, where the process was.
pub fn refused_forks(directory: &Directory) -> Option<u64> {
    match counts_pids_at_the_limit(directory) {
        true => file::field(&file::read(directory, "pids.events").ok()?, "max"),
        false => tree::sum(directory, "pids.events", "max"),
    }
}

/// Only kernels with `pids.events.local` do, and only in v2.
pub fn counts_pids_at_the_limit(directory: &Directory) -> bool {
    directory.version == Version::V2 && file::read(directory, "pids.events.local").is_ok()
}
