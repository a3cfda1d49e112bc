//! What the kernel has counted for a group and all that ran in it. What it does not count is not told.

use crate::group::{Directory, Group};
use crate::hierarchy::{Hierarchies, Version, file, tree};

/// What a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Time,
    /// Bytes.
    Bytes,
    /// How often, or how many.
    Count,
}

type Read = fn(&Directory) -> Option<u64>;

/// A row of the table of counters.
#[derive(Debug)]
pub struct Counter {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it is a number of.
    pub unit: Unit,
    /// The controller whose hierarchy has it in cgroup v1.
    controller: &'static str,
    v2: Read,
    v1: Read,
}

/// Every counter. Sources: cgroup-v2.rst, "Core Interface Files" and those of the controllers; cgroup-v1/cpuacct.rst,
/// memory.rst, blkio-controller.rst and pids.rst; kernel/cgroup/pids.c for which version counts where.
pub const COUNTERS: [Counter; 12] = [
    time("cpu_usec", "cpuacct", |v2| field(v2, "cpu.stat", "usage_usec"), |v1| nano(v1, "cpuacct.usage")),
    time(
        "cpu_user_usec",
        "cpuacct",
        |v2| field(v2, "cpu.stat", "user_usec"),
        |v1| share(v1, "cpuacct.usage_user", "cpuacct.usage_sys"),
    ),
    time(
        "cpu_system_usec",
        "cpuacct",
        |v2| field(v2, "cpu.stat", "system_usec"),
        |v1| share(v1, "cpuacct.usage_sys", "cpuacct.usage_user"),
    ),
    time(
        "throttled_usec",
        "cpu",
        |v2| field(v2, "cpu.stat", "throttled_usec"),
        |v1| field(v1, "cpu.stat", "throttled_time").map(|nanoseconds| nanoseconds / 1000),
    ),
    count(
        "throttled",
        "cpu",
        |v2| field(v2, "cpu.stat", "nr_throttled"),
        |v1| field(v1, "cpu.stat", "nr_throttled"),
    ),
    bytes(
        "memory_peak_bytes",
        "memory",
        |v2| number(v2, "memory.peak"),
        |v1| number(v1, "memory.max_usage_in_bytes"),
    ),
    bytes("swap_peak_bytes", "memory", |v2| number(v2, "memory.swap.peak"), |_| None),
    bytes("io_read_bytes", "blkio", |v2| of_devices(v2, "rbytes="), |v1| of_devices_v1(v1, "Read")),
    bytes("io_written_bytes", "blkio", |v2| of_devices(v2, "wbytes="), |v1| of_devices_v1(v1, "Write")),
    count("pids_peak", "pids", |v2| number(v2, "pids.peak"), |v1| number(v1, "pids.peak")),
    count(
        "oom_kills",
        "memory",
        |v2| field(v2, "memory.events", "oom_kill"),
        |v1| sum(v1, "memory.oom_control", "oom_kill"),
    ),
    count("refused_forks", "pids", refused_forks, |v1| sum(v1, "pids.events", "max")),
];

/// The controllers that count something, of both versions. The processor time of v2 needs none.
pub const COUNTING: [&str; 5] = ["memory", "pids", "io", "blkio", "cpuacct"];

const fn time(name: &'static str, controller: &'static str, v2: Read, v1: Read) -> Counter {
    Counter { name, unit: Unit::Time, controller, v2, v1 }
}

const fn bytes(name: &'static str, controller: &'static str, v2: Read, v1: Read) -> Counter {
    Counter { name, unit: Unit::Bytes, controller, v2, v1 }
}

const fn count(name: &'static str, controller: &'static str, v2: Read, v1: Read) -> Counter {
    Counter { name, unit: Unit::Count, controller, v2, v1 }
}

/// The numbers of one group.
#[derive(Debug)]
pub struct Counters([Option<u64>; COUNTERS.len()]);

impl Counters {
    /// Reads all that the group's directories have.
    pub fn read(group: &Group, hierarchies: &Hierarchies) -> Self {
        Counters(COUNTERS.each_ref().map(|counter| counter.read(group, hierarchies)))
    }

    /// The number of this name, where the kernel has counted it.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.each().find(|(counter, _)| counter.name == name).map(|(_, number)| number)
    }

    /// Those that were counted.
    pub fn each(&self) -> impl Iterator<Item = (&'static Counter, u64)> {
        COUNTERS.iter().zip(self.0).filter_map(|(counter, number)| Some((counter, number?)))
    }
}

impl Counter {
    fn read(&self, group: &Group, hierarchies: &Hierarchies) -> Option<u64> {
        group.parts.iter().find_map(|part| match part.place.version {
            Version::V2 => (self.v2)(&part.directory),
            Version::V1 if hierarchies.0[part.hierarchy].has(self.controller) => (self.v1)(&part.directory),
            Version::V1 => None,
        })
    }
}

/// How many processes the OOM killer has ended, in any group that is there. v1 counts in the victim's only.
pub fn oom_kills(directory: &Directory) -> Option<u64> {
    match directory.version {
        Version::V2 => field(directory, "memory.events", "oom_kill"),
        Version::V1 => sum(directory, "memory.oom_control", "oom_kill"),
    }
}

/// How often fork(2) was refused in the group and below it. Since Linux 6.11 v2 counts where the limit is, and upwards
/// from there; before, and in v1, where the process was.
pub fn refused_forks(directory: &Directory) -> Option<u64> {
    match counts_pids_at_the_limit(directory) {
        true => field(directory, "pids.events", "max"),
        false => sum(directory, "pids.events", "max"),
    }
}

/// Only kernels with `pids.events.local` do, and only in v2.
pub fn counts_pids_at_the_limit(directory: &Directory) -> bool {
    directory.version == Version::V2 && file::read(directory, "pids.events.local").is_ok()
}

fn number(directory: &Directory, file: &str) -> Option<u64> {
    file::read(directory, file).ok()?.trim().parse().ok()
}

fn nano(directory: &Directory, file: &str) -> Option<u64> {
    number(directory, file).map(|nanoseconds| nanoseconds / 1000)
}

/// The two parts of the time are counted by the tick, their sum exactly: v2 divides the sum by them, as is done here
/// (cputime_adjust in kernel/sched/cputime.c).
fn share(directory: &Directory, this: &str, other: &str) -> Option<u64> {
    let (sum, this, other) =
        (nano(directory, "cpuacct.usage")?, number(directory, this)?, number(directory, other)?);
    let ticks = u128::from(this) + u128::from(other);
    let share = u128::from(sum) * u128::from(this);
    Some(share.checked_div(ticks).map_or(0, |share| share as u64))
}

fn field(directory: &Directory, file: &str, name: &str) -> Option<u64> {
    file::field(&file::read(directory, file).ok()?, name)
}

/// Of the group and of those below it that are still there; `None` when the group has no such number.
fn sum(directory: &Directory, file: &str, name: &str) -> Option<u64> {
    let mut total = field(directory, file, name)?;
    let _ = tree::each(directory, |group, path| {
        let is_below = path.components().next().is_some();
        let text = if is_below { file::read(group, file).unwrap_or_default() } else { String::new() };
        total += file::field(&text, name).unwrap_or(0);
    });
    Some(total)
}

/// `MAJOR:MINOR rbytes=N wbytes=N ...`
fn of_devices(directory: &Directory, key: &str) -> Option<u64> {
    let text = file::read(directory, "io.stat").ok()?;
    Some(text.split_whitespace().filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok()).sum())
}

/// `MAJOR:MINOR Read N`
fn of_devices_v1(directory: &Directory, kind: &str) -> Option<u64> {
    let text = file::read(directory, "blkio.throttle.io_service_bytes_recursive").ok()?;
    let of_line = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        words.next().filter(|word| *word == kind)?;
        words.next()?.parse::<u64>().ok()
    };
    Some(text.lines().filter_map(of_line).sum())
}
