//! Reading and writing: cgroup-v2.rst, "IO Interface Files"; cgroup-v1/blkio-controller.rst.

use super::with;
use crate::group::Directories;
use crate::hierarchy::{Hierarchies, Version, file};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a group has read from and written to one device.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Device {
    /// MAJOR:MINOR.
    pub number: String,
    /// Its name below /dev, where the machine tells it.
    pub name: Option<String>,
    /// Bytes read.
    pub read: u64,
    /// Bytes written.
    pub written: u64,
    /// How many reads.
    pub reads: u64,
    /// How many writes.
    pub writes: u64,
}

impl Device {
    /// As JSON.
    pub fn json(&self) -> Value {
        json!({
            "device": self.number,
            "name": self.name,
            "read_bytes": self.read,
            "written_bytes": self.written,
            "reads": self.reads,
            "writes": self.writes,
        })
    }

    /// The counter of this name: in `io.stat` of v2, or as `FILE Read` or `FILE Write` of v1.
    fn counter(&mut self, name: &str) -> Option<&mut u64> {
        match name {
            "rbytes" | "bytes Read" => Some(&mut self.read),
            "wbytes" | "bytes Write" => Some(&mut self.written),
            "rios" | "serviced Read" => Some(&mut self.reads),
            "wios" | "serviced Write" => Some(&mut self.writes),
            _ => None,
        }
    }
}

/// Bytes read and written in all.
pub fn total(devices: &[Device]) -> u64 {
    devices.iter().map(|device| device.read + device.written).sum()
}

/// Reads it, where it is counted.
pub fn read(group: &impl Directories, all: &Hierarchies) -> Option<Vec<Device>> {
    if let Some((directory, Version::V1)) = with(group, "blkio", all) {
        let text = |what: &str| {
            ["_recursive", ""]
                .iter()
                .find_map(|end| file::read(directory, &format!("blkio.throttle.io_{what}{end}")).ok())
        };
        return Some(of_v1(&text("service_bytes")?, &text("serviced").unwrap_or_default()));
    }
    let (directory, _) = with(group, "io", all)?;
    file::read(directory, "io.stat").ok().map(|text| of_v2(&text))
}

fn of_v2(text: &str) -> Vec<Device> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let Some(number) = words.next() else { continue };
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            add(&mut found, number, name, value);
        }
    }
    named(found)
}

fn of_v1(bytes: &str, serviced: &str) -> Vec<Device> {
    let mut found = BTreeMap::new();
    for (file, text) in [("bytes", bytes), ("serviced", serviced)] {
        for line in text.lines() {
            if let [number, kind, value] = line.split_whitespace().collect::<Vec<_>>()[..] {
                add(&mut found, number, &format!("{file} {kind}"), value);
            }
        }
    }
    named(found)
}

fn add(found: &mut BTreeMap<String, Device>, number: &str, name: &str, value: &str) {
    let device = found.entry(number.to_owned()).or_default();
    if let (Some(counter), Ok(value)) = (device.counter(name), value.parse()) {
        *counter = value;
    }
}

fn named(found: BTreeMap<String, Device>) -> Vec<Device> {
    let name = |number: &str| {
        let text = file::read_path(format!("/sys/dev/block/{number}/uevent")).ok()?;
        Some(text.lines().find_map(|line| line.strip_prefix("DEVNAME="))?.to_owned())
    };
    found.into_iter().map(|(number, device)| Device { name: name(&number), number, ..device }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_tell_the_same() {
        let expected = [Device {
            number: "999:0".into(),
            read: 1,
            written: 2,
            reads: 3,
            writes: 4,
            ..Device::default()
        }];
        let v2 = "999:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n";
        assert_eq!(of_v2(v2), expected);
        let bytes = "999:0 Read 1\n999:0 Write 2\n999:0 Sync 0\n999:0 Total 3\nTotal 3\n";
        let serviced = "999:0 Read 3\n999:0 Write 4\nTotal 7\n";
        assert_eq!(of_v1(bytes, serviced), expected);
    }
}
