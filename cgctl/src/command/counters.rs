//! What the kernel has counted for a group and all that ran in it. What it does not count is not told.

use crate::group::Group;
use crate::hierarchy::Hierarchies;
use crate::view::stat::{Cpu, Device, Memory, Pids, io};

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

/// A row of the table of counters.
#[derive(Debug)]
pub struct Counter {
    /// Its name in JSON.
    pub name: &'static str,
    /// What it is a number of.
    pub unit: Unit,
    get: fn(&Counters) -> Option<u64>,
}

/// Every counter.
pub const COUNTERS: [Counter; 12] = [
    counter("cpu_usec", Unit::Time, |all| all.cpu.as_ref()?.usage),
    counter("cpu_user_usec", Unit::Time, |all| all.cpu.as_ref()?.user),
    counter("cpu_system_usec", Unit::Time, |all| all.cpu.as_ref()?.system),
    counter("throttled_usec", Unit::Time, |all| all.cpu.as_ref()?.throttled_time),
    counter("throttled", Unit::Count, |all| all.cpu.as_ref()?.throttled),
    counter("memory_peak_bytes", Unit::Bytes, |all| all.memory.as_ref()?.peak),
    counter("swap_peak_bytes", Unit::Bytes, |all| all.memory.as_ref()?.swap_peak),
    counter("io_read_bytes", Unit::Bytes, |all| all.of_devices(|device| device.read)),
    counter("io_written_bytes", Unit::Bytes, |all| all.of_devices(|device| device.written)),
    counter("pids_peak", Unit::Count, |all| all.pids.as_ref()?.peak),
    counter("oom_kills", Unit::Count, |all| all.memory.as_ref()?.oom_kill),
    counter("refused_forks", Unit::Count, |all| all.pids.as_ref()?.refused),
];

/// The controllers that count something, of both versions. The processor time of v2 needs none.
pub const COUNTING: [&str; 5] = ["memory", "pids", "io", "blkio", "cpuacct"];

const fn counter(name: &'static str, unit: Unit, get: fn(&Counters) -> Option<u64>) -> Counter {
    Counter { name, unit, get }
}

/// The numbers of one group, as `cgctl stat` reads them.
#[derive(Debug)]
pub struct Counters {
    cpu: Option<Cpu>,
    memory: Option<Memory>,
    pids: Option<Pids>,
    io: Option<Vec<Device>>,
}

impl Counters {
    /// Reads all that the group's directories have.
    pub fn read(group: &Group, all: &Hierarchies) -> Self {
        Counters {
            cpu: Cpu::read(group, all),
            memory: Memory::read(group, all),
            pids: Pids::read(group, all),
            io: io::read(group, all),
        }
    }

    /// The number of this name, where the kernel has counted it.
    pub fn get(&self, name: &str) -> Option<u64> {
        self.each().find(|(counter, _)| counter.name == name).map(|(_, number)| number)
    }

    /// Those that were counted.
    pub fn each(&self) -> impl Iterator<Item = (&'static Counter, u64)> {
        COUNTERS.iter().filter_map(|counter| Some((counter, (counter.get)(self)?)))
    }

    fn of_devices(&self, number: impl Fn(&Device) -> u64) -> Option<u64> {
        Some(self.io.as_ref()?.iter().map(number).sum())
    }
}
