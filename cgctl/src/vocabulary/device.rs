//! Limits on the traffic of a block device, and how the user names it.

use crate::hierarchy::file;
use crate::vocabulary::size::{self, Decimal};
use crate::vocabulary::value::Amount;
use chain::mountinfo::unescape;
use chain::text::show;
use rustix::fs::{FileType, major, minor, stat};
use std::fmt;
use std::path::{Path, PathBuf};

/// The names of the four limits, of v2 and of the user; the v1 file of each; whether it is in bytes.
pub const LIMITS: [(&str, &str, bool); 4] = [
    ("rbps", "blkio.throttle.read_bps_device", true),
    ("wbps", "blkio.throttle.write_bps_device", true),
    ("riops", "blkio.throttle.read_iops_device", false),
    ("wiops", "blkio.throttle.write_iops_device", false),
];

/// Limits of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Io {
    /// Its major and minor number.
    pub device: (u32, u32),
    /// In the order of [`LIMITS`]; `None` for what is not spoken of.
    pub limits: [Option<Amount>; 4],
}

impl Io {
    /// Reads `DEVICE:LIMIT=VALUE,...`; the device is a path of a device or of a file system on one, or `MAJ:MIN`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (device, limits) = text
            .rsplit_once(':')
            .filter(|(_, limits)| limits.contains('='))
            .ok_or("a limit is missing".to_owned())?;
        let mut io = Io { device: (0, 0), limits: [None; 4] };
        for word in limits.split(',') {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("{} has no =", show(word)))?;
            let index = index(name).ok_or_else(|| format!("there is no limit {}", show(name)))?;
            if io.limits[index].replace(amount(value, LIMITS[index].2)?).is_some() {
                return Err(format!("{name} is there twice"));
            }
        }
        io.device = whole_disk(find(device)?);
        Ok(io)
    }

    /// A line of v2's `io.max`.
    pub fn line(&self) -> String {
        let mut line = self.name();
        for (limit, (name, ..)) in self.limits.iter().zip(LIMITS) {
            if let Some(limit) = limit {
                line += &format!(" {name}={}", plain(*limit));
            }
        }
        line
    }

    /// A line for each v1 file, where 0 stands for no limit.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let line = |(limit, (_, file, _)): (&Option<Amount>, (_, &'static str, _))| {
            let number = match (*limit)? {
                Amount::Max => 0,
                Amount::Number(number) => number,
            };
            Some((file, format!("{} {number}", self.name())))
        };
        self.limits.iter().zip(LIMITS).filter_map(line).collect()
    }

    /// `MAJ:MIN`
    pub fn name(&self) -> String {
        format!("{}:{}", self.device.0, self.device.1)
    }

    /// Reads a line of v2's `io.max`.
    pub fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut io = Io { device: numbers(words.next()?)?, limits: [None; 4] };
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            io.limits[index(name)?] =
                Some(if value == "max" { Amount::Max } else { Amount::Number(value.parse().ok()?) });
        }
        Some(io)
    }

    /// Reads the four files of v1.
    pub fn of_files(read: &dyn Fn(&str) -> Option<String>) -> Vec<Self> {
        let mut all: Vec<Io> = Vec::new();
        for (index, (_, file, _)) in LIMITS.iter().enumerate() {
            for line in read(file).unwrap_or_default().lines() {
                let Some((device, number)) = line.split_once(' ') else { continue };
                let (Some(device), Ok(number)) = (numbers(device), number.trim().parse()) else { continue };
                let at = all.iter().position(|io| io.device == device).unwrap_or_else(|| {
                    all.push(Io { device, limits: [None; 4] });
                    all.len() - 1
                });
                all[at].limits[index] = Some(Amount::Number(number));
            }
        }
        all
    }

    /// `{"device": "MAJ:MIN", "rbps": ...}`, in bytes and operations a second.
    pub fn json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        object.insert("device".to_owned(), self.name().into());
        for (limit, (name, ..)) in self.limits.iter().zip(LIMITS) {
            match limit {
                Some(Amount::Number(number)) => object.insert(name.to_owned(), (*number).into()),
                Some(Amount::Max) | None => object.insert(name.to_owned(), "max".into()),
            };
        }
        object.into()
    }
}

impl fmt::Display for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |(limit, (name, _, is_bytes)): (&Option<Amount>, (&str, _, bool))| {
            Some(match (*limit)? {
                Amount::Number(number) if is_bytes => format!("{name}={}", size::exact(number)),
                other => format!("{name}={}", plain(other)),
            })
        };
        let words: Vec<String> = self.limits.iter().zip(LIMITS).filter_map(word).collect();
        write!(f, "{}:{}", self.name(), words.join(","))
    }
}

fn index(name: &str) -> Option<usize> {
    LIMITS.iter().position(|(limit, ..)| *limit == name)
}

fn plain(amount: Amount) -> String {
    match amount {
        Amount::Max => "max".to_owned(),
        Amount::Number(number) => number.to_string(),
    }
}

/// 0 is no limit to v1 and an error to v2. The kernel keeps operations in 32 bits (tg_set_limit in
/// block/blk-throttle.c).
fn amount(text: &str, is_bytes: bool) -> Result<Amount, String> {
    if text == "max" {
        return Ok(Amount::Max);
    }
    let number = if is_bytes {
        size::bytes(text, || 0)?
    } else {
        match Decimal::read(text)? {
            (number, unit) if !text.contains('.') => number.times(size::thousands(unit)?, 1)?,
            _ => return Err(format!("{} is not a whole number", show(text))),
        }
    };
    match number {
        0 => Err("the least is 1".to_owned()),
        number if !is_bytes && number > u64::from(u32::MAX) => Err("the number is too large".to_owned()),
        number => Ok(Amount::Number(number)),
    }
}

fn numbers(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    number(major).zip(number(minor))
}

/// `io.max` takes character devices, and limits nothing then: so only block devices get there.
fn find(name: &str) -> Result<(u32, u32), String> {
    if let Some(device) = numbers(name) {
        let (major, minor) = device;
        return match std::fs::exists(format!("/sys/dev/block/{major}:{minor}")) {
            Ok(false) if Path::new("/sys/dev/block").exists() => {
                Err(format!("there is no block device {name}"))
            }
            _ => Ok(device),
        };
    }
    let found = stat(name)
        .map_err(|e| format!("{}: {}", show(name), nix::errno::Errno::from_raw(e.raw_os_error()).desc()))?;
    let device = match FileType::from_raw_mode(found.st_mode) {
        FileType::BlockDevice => found.st_rdev,
        FileType::CharacterDevice => return Err(format!("{} is a character device", show(name))),
        _ if major(found.st_dev) == 0 => source(found.st_dev)
            .ok_or_else(|| format!("the file system of {} is on no block device of its own", show(name)))?,
        _ => found.st_dev,
    };
    Ok((major(device), minor(device)))
}

/// A file system over several devices, as btrfs, has a number of its own; the table of mounts may name the device.
fn source(device: u64) -> Option<u64> {
    let table = file::read_path("/proc/self/mountinfo").ok()?;
    let id = format!("{}:{}", major(device), minor(device));
    let line = table.lines().find(|line| line.split(' ').nth(2) == Some(&id))?;
    let source = unescape(line.split_once(" - ")?.1.split(' ').nth(1)?.as_bytes());
    let found = stat(&source).ok()?;
    (FileType::from_raw_mode(found.st_mode) == FileType::BlockDevice).then_some(found.st_rdev)
}

/// The kernel limits whole disks only (blkg_conf_open_bdev in block/blk-cgroup.c).
fn whole_disk((major, minor): (u32, u32)) -> (u32, u32) {
    let entry = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    if !entry.join("partition").exists() {
        return (major, minor);
    }
    file::read_path(entry.join("../dev")).ok().and_then(|text| numbers(text.trim())).unwrap_or((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(text: &str) -> Result<Io, String> {
        Io::parse(text)
    }

    #[test]
    fn limits_are_written_for_either_version() {
        let line = "1:2 rbps=1048576 wiops=max";
        let parsed = Io::of_line(line).unwrap();
        assert_eq!(parsed.line(), line);
        assert_eq!(parsed.to_string(), "1:2:rbps=1M,wiops=max");
        assert_eq!(
            parsed.lines(),
            [
                ("blkio.throttle.read_bps_device", "1:2 1048576".to_owned()),
                ("blkio.throttle.write_iops_device", "1:2 0".to_owned())
            ]
        );
        let read = |file: &str| {
            let text = if file.ends_with("write_iops_device") { "8:0 5\n8:16 6\n" } else { "8:16 4096\n" };
            Some(text.to_owned())
        };
        let found = Io::of_files(&read).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, ["8:16:rbps=4k,wbps=4k,riops=4096,wiops=6", "8:0:wiops=5"]);
    }

    #[test]
    fn what_is_no_limit_of_a_device_is_refused() {
        for (text, why) in [
            ("/dev/null:rbps=1", "is a character device"),
            ("/no/such:rbps=1", "No such file"),
            ("/proc:rbps=1", "on no block device of its own"),
            ("4095:1048575:rbps=1", "there is no block device"),
            ("/dev/null", "a limit is missing"),
            ("/dev/null:", "a limit is missing"),
            ("8:0:rbps", "a limit is missing"),
            ("8:0:speed=1", "there is no limit speed"),
            ("8:0:rbps=1,rbps=2", "rbps is there twice"),
            ("8:0:rbps=0", "the least is 1"),
            ("8:0:riops=1M5", "is not a unit"),
            ("8:0:riops=1.5", "is not a whole number"),
            ("8:0:riops=5G", "too large"),
        ] {
            let reason = io(text).unwrap_err();
            assert!(reason.contains(why), "{text}: {reason}");
        }
    }
}
