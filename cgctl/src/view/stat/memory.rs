//! Memory: cgroup-v2.rst, "Memory Interface Files"; cgroup-v1/memory.rst.

use super::with;
use crate::group::{Directories, Directory};
use crate::hierarchy::file::{self, number};
use crate::hierarchy::{Hierarchies, Version, tree};
use serde_json::{Value, json};

/// Bytes, and how often it was too much.
#[derive(Debug, Default)]
pub struct Memory {
    /// In use.
    pub current: Option<u64>,
    /// The most that was in use; Linux 5.19 and later on v2.
    pub peak: Option<u64>,
    /// The most that may be in use; `None` for no limit.
    pub limit: Option<u64>,
    /// From where on its processes are slowed down; v2 only.
    pub high: Option<u64>,
    /// Swap in use.
    pub swap: Option<u64>,
    /// The most swap that was in use; v2 only.
    pub swap_peak: Option<u64>,
    /// By kind: name and bytes, in the order of [`KINDS`].
    pub kinds: Vec<(&'static str, u64)>,
    /// How often the limit was reached.
    pub reached: Option<u64>,
    /// How often nothing helped.
    pub oom: Option<u64>,
    /// How many processes were killed for it.
    pub oom_kill: Option<u64>,
}

/// Kinds of memory, and what they are called in `memory.stat` of v2 and of v1.
const KINDS: [(&str, &str, &str); 4] = [
    ("anon", "anon", "total_rss"),
    ("file", "file", "total_cache"),
    ("shmem", "shmem", "total_shmem"),
    ("kernel", "kernel", ""),
];

/// No limit of v1 is written as the largest number of whole pages.
const UNLIMITED: u64 = i64::MAX as u64 >> 16 << 16;

impl Memory {
    /// Reads it, where memory is counted.
    pub fn read(group: &impl Directories, all: &Hierarchies) -> Option<Self> {
        let (directory, version) = with(group, "memory", all)?;
        let memory = match version {
            Version::V2 => of_v2(directory),
            Version::V1 => of_v1(directory),
        };
        memory.current.map(|_| memory)
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let kind = |name: &str| self.kinds.iter().find(|(kind, _)| *kind == name).map(|(_, bytes)| *bytes);
        json!({
            "current": self.current,
            "peak": self.peak,
            "limit": self.limit,
            "high": self.high,
            "swap": self.swap,
            "swap_peak": self.swap_peak,
            "anon": kind("anon"),
            "file": kind("file"),
            "shmem": kind("shmem"),
            "kernel": kind("kernel"),
            "limit_reached": self.reached,
            "oom": self.oom,
            "oom_kill": self.oom_kill,
        })
    }
}

fn of_v2(directory: &Directory) -> Memory {
    let events = file::read(directory, "memory.events").unwrap_or_default();
    let stat = file::read(directory, "memory.stat").unwrap_or_default();
    let kinds = KINDS.iter().filter_map(|(kind, name, _)| Some((*kind, file::field(&stat, name)?)));
    Memory {
        current: number(directory, "memory.current"),
        peak: number(directory, "memory.peak"),
        limit: number(directory, "memory.max"),
        high: number(directory, "memory.high"),
        swap: number(directory, "memory.swap.current"),
        swap_peak: number(directory, "memory.swap.peak"),
        kinds: kinds.collect(),
        reached: file::field(&events, "max"),
        oom: file::field(&events, "oom"),
        oom_kill: file::field(&events, "oom_kill"),
    }
}

fn of_v1(directory: &Directory) -> Memory {
    let current = number(directory, "memory.usage_in_bytes");
    let both = number(directory, "memory.memsw.usage_in_bytes");
    let stat = file::read(directory, "memory.stat").unwrap_or_default();
    let mut kinds: Vec<(&str, u64)> =
        KINDS.iter().filter_map(|(kind, _, name)| Some((*kind, file::field(&stat, name)?))).collect();
    kinds.extend(number(directory, "memory.kmem.usage_in_bytes").map(|bytes| ("kernel", bytes)));
    Memory {
        current,
        peak: number(directory, "memory.max_usage_in_bytes"),
        limit: number(directory, "memory.limit_in_bytes").filter(|limit| *limit < UNLIMITED),
        high: None,
        swap: file::field(&stat, "total_swap")
            .or(both.zip(current).map(|(both, one)| both.saturating_sub(one))),
        swap_peak: None,
        kinds,
        reached: number(directory, "memory.failcnt"),
        oom: None,
        oom_kill: oom_kills(directory),
    }
}

/// How many processes the OOM killer has ended, in any group that is there. v1 counts in the victim's only.
pub fn oom_kills(directory: &Directory) -> Option<u64> {
    match directory.version {
        Version::V2 => file::field(&file::read(directory, "memory.events").ok()?, "oom_kill"),
        Version::V1 => tree::sum(directory, "memory.oom_control", "oom_kill"),
    }
}
