//! What a group uses, what it may use, and what its limits did: read from whichever version has it.

mod cpu;
pub mod io;
mod memory;
mod pids;
mod pressure;
pub mod text;

pub use cpu::Cpu;
pub use io::{Device, total};
pub use memory::{Memory, oom_kills};
pub use pids::{Pids, counts_pids_at_the_limit, refused_forks};
pub use pressure::Pressure;

use crate::existing::{Group, freezer};
use crate::group::{Directories, Directory};
use crate::hierarchy::{Hierarchies, Version};
use serde_json::{Value, json};

/// A group as it is at one moment. What is `None` is not counted here.
#[derive(Debug)]
pub struct Stat {
    /// Its name.
    pub group: String,
    /// How many processes are in it and in the groups below it.
    pub processes: usize,
    /// Its processes stand still.
    pub frozen: bool,
    /// Memory.
    pub memory: Option<Memory>,
    /// Processor time.
    pub cpu: Option<Cpu>,
    /// Processes and threads.
    pub pids: Option<Pids>,
    /// What was read and written, by device.
    pub io: Option<Vec<Device>>,
    /// How long processes had to wait for what they wanted.
    pub pressure: Vec<Pressure>,
}

impl Stat {
    /// Reads all of it.
    pub fn read(group: &Group, all: &Hierarchies) -> Self {
        Stat {
            group: group.name.clone(),
            processes: group.processes().len(),
            frozen: freezer::is_frozen(group),
            memory: Memory::read(group, all),
            cpu: Cpu::read(group, all),
            pids: Pids::read(group, all),
            io: io::read(group, all),
            pressure: pressure::read(group),
        }
    }

    /// The object of `cgctl stat --json`.
    pub fn json(&self) -> Value {
        let pressure = (!self.pressure.is_empty()).then(|| pressure::json(&self.pressure));
        json!({
            "group": self.group,
            "processes": self.processes,
            "populated": self.processes > 0,
            "frozen": self.frozen,
            "memory": self.memory.as_ref().map(Memory::json),
            "cpu": self.cpu.as_ref().map(Cpu::json),
            "pids": self.pids.as_ref().map(Pids::json),
            "io": self.io.as_ref().map(|devices| devices.iter().map(Device::json).collect::<Vec<_>>()),
            "pressure": pressure,
        })
    }
}

/// The directory of a group that has what a controller counts: of v1, where its hierarchy is, else of v2.
fn with<'a>(
    group: &'a impl Directories,
    controller: &str,
    all: &Hierarchies,
) -> Option<(&'a Directory, Version)> {
    let directory = group.with_controller(controller, all)?;
    Some((directory, directory.version))
}
