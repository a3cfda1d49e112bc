//! The vocabulary: one table of keys for both versions of cgroups, and what a word `KEY=VALUE` means.

use crate::size::{self, Decimal};
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsStr;

/// The value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// No limit.
    Max,
    /// Bytes, processes, microseconds in each [`PERIOD`], or a weight.
    Number(u64),
}

/// The period of the processor quota, in microseconds: the kernel's default.
pub const PERIOD: u64 = 100_000;

/// A file of the kernel, with the text that an [`Amount`] has there.
#[derive(Debug)]
pub struct File {
    /// Its name in the directory of the group.
    pub name: &'static str,
    /// What is written to it.
    pub text: fn(Amount) -> String,
}

/// A row of the vocabulary.
#[derive(Debug)]
pub struct Key {
    /// What the user writes.
    pub name: &'static str,
    /// What the user may write as well.
    pub alias: Option<&'static str>,
    /// The controller, of the same name in both versions.
    pub controller: &'static str,
    /// Where it goes in cgroup v2.
    pub v2: File,
    /// Where it goes in cgroup v1.
    pub v1: File,
    /// What is allowed, for the message about what is not.
    pub takes: &'static str,
    parse: fn(&str) -> Result<u64, String>,
}

/// The row of the memory limit.
pub const MEMORY: &str = "m";
/// The row of the swap limit, whose v1 file counts memory and swap together.
pub const SWAP: &str = "swap";
/// The row of the limit on processes.
pub const PIDS: &str = "pids";

/// Every key. Sources: cgroup-v1/memory.rst and pids.rst, scheduler/sched-bwc.rst, cgroup-v2.rst of the kernel.
pub const KEYS: [Key; 5] = [
    Key {
        name: MEMORY,
        alias: Some("mem.max"),
        controller: "memory",
        v2: File { name: "memory.max", text: or_max },
        v1: File { name: "memory.limit_in_bytes", text: or_minus_one },
        takes: "bytes with k, M, G or T (64M, 1.5G, 64MiB, 64MB), a share of the memory (50%), or max",
        parse: |text| size::bytes(text, total_memory).and_then(|bytes| within(bytes, 4096, size::MOST)),
    },
    Key {
        name: SWAP,
        alias: Some("swap.max"),
        controller: "memory",
        v2: File { name: "memory.swap.max", text: or_max },
        v1: File { name: "memory.memsw.limit_in_bytes", text: or_minus_one },
        takes: "bytes of swap in addition to m (0, 64M, 1.5G), a share of the swap (50%), or max",
        parse: |text| size::bytes(text, total_swap),
    },
    Key {
        name: "cpu",
        alias: None,
        controller: "cpu",
        v2: File { name: "cpu.max", text: quota_and_period },
        v1: File { name: "cpu.cfs_quota_us", text: or_minus_one },
        takes: "processor cores (0.5, 2) or a share of one (50%, 150%), from 0.01, or max",
        parse: quota,
    },
    Key {
        name: "weight",
        alias: Some("cpu.weight"),
        controller: "cpu",
        v2: File { name: "cpu.weight", text: or_max },
        v1: File { name: "cpu.shares", text: shares },
        takes: "a whole number from 1 to 10000; 100 is usual",
        parse: |text| whole(text).and_then(|weight| within(weight, 1, 10_000)),
    },
    Key {
        name: PIDS,
        alias: Some("pids.max"),
        controller: "pids",
        v2: File { name: "pids.max", text: or_max },
        v1: File { name: "pids.max", text: or_max },
        takes: "a whole number of processes and threads from 1 to 4194304, or max",
        parse: |text| whole(text).and_then(|count| within(count, 1, 4_194_304)),
    },
];

/// A wish of the user's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The word as it was given, for messages.
    pub word: String,
    /// What it means.
    pub wish: Wish,
}

/// What a word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// A row of [`KEYS`], by its name, and its value.
    Known(&'static str, Amount),
    /// A file of the kernel and the text for it.
    Raw(String, String),
}

/// The row of this name or alias.
pub fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name || key.alias == Some(name))
}

/// The row that writes this file in one of the versions.
pub fn key_of_file(file: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.v2.name == file || key.v1.name == file)
}

impl Setting {
    /// Reads a word `KEY=VALUE`. Refuses what is unknown or out of range, saying what is allowed.
    pub fn parse(word: &OsStr) -> Result<Self> {
        let text = word.to_str().ok_or_else(|| refused(word, "it is not UTF-8"))?;
        let (name, value) = text.split_once('=').ok_or_else(|| refused(word, "there is no ="))?;
        let wish = match key(name) {
            Some(key) => known(key, value).map_err(|why| refused(word, why).hint(takes(key)))?,
            None => raw(name, value).map_err(|why| refused(word, why))?,
        };
        Ok(Setting { word: text.to_owned(), wish })
    }
}

fn refused(word: &OsStr, why: impl std::fmt::Display) -> Error {
    Error::new(format_args!("set {}", show(word)), why).hint(vocabulary())
}

fn takes(key: &Key) -> String {
    format!("{} takes {}", key.name, key.takes)
}

fn vocabulary() -> String {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    format!("the keys are {}, and files of the kernel such as memory.high or cpuset.cpus", names.join(", "))
}

fn known(key: &'static Key, value: &str) -> Result<Wish, String> {
    let amount = match value {
        "" => return Err("its value is missing".to_owned()),
        "max" if key.name != "weight" => Amount::Max,
        value => Amount::Number((key.parse)(value)?),
    };
    Ok(Wish::Known(key.name, amount))
}

/// Files that move, end or rearrange processes, or make the group unfit for one.
const NO_LIMITS: [&str; 6] = [
    "cgroup.procs",
    "cgroup.threads",
    "cgroup.kill",
    "cgroup.type",
    "cgroup.subtree_control",
    "cgroup.event_control",
];

fn raw(file: &str, value: &str) -> Result<Wish, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let in_a_controller =
        file.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && !rest.is_empty());
    match () {
        () if !in_a_controller || !file.chars().all(plain) => Err(format!("there is no key {}", show(file))),
        () if NO_LIMITS.contains(&file) => Err(format!("{file} is no limit")),
        () if value.is_empty() => Err("its value is missing".to_owned()),
        () if value.contains(char::is_control) => Err("the value has a control character in it".to_owned()),
        () => Ok(Wish::Raw(file.to_owned(), value.to_owned())),
    }
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

/// The kernel wants at least 1 ms in each period, and less than 2 to the power of 44 microseconds
/// (tg_set_cfs_bandwidth in kernel/sched/core.c).
fn quota(text: &str) -> Result<u64, String> {
    let quota = match Decimal::read(text)? {
        (cores, "") => cores.times(PERIOD, 1),
        (percent, "%") => percent.times(PERIOD, 100),
        (_, unit) => Err(format!("{} is not a unit of it", show(unit))),
    }?;
    match quota {
        0..1000 => Err("the least is 0.01".to_owned()),
        quota if quota >= 1 << 44 => Err("the number is too large".to_owned()),
        quota => Ok(quota),
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

fn or_max(amount: Amount) -> String {
    match amount {
        Amount::Max => "max".to_owned(),
        Amount::Number(number) => number.to_string(),
    }
}

fn or_minus_one(amount: Amount) -> String {
    match amount {
        Amount::Max => "-1".to_owned(),
        Amount::Number(number) => number.to_string(),
    }
}

fn quota_and_period(amount: Amount) -> String {
    format!("{} {PERIOD}", or_max(amount))
}

/// The kernel's own scale, 100 of v2 being 1024 of v1 (sched_weight_from_cgroup in kernel/sched/sched.h).
fn shares(amount: Amount) -> String {
    match amount {
        Amount::Max => "262144".to_owned(),
        Amount::Number(weight) => ((weight * 1024 + 50) / 100).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(word: &str) -> Amount {
        match Setting::parse(OsStr::new(word)).unwrap().wish {
            Wish::Known(_, amount) => amount,
            raw => panic!("{raw:?}"),
        }
    }

    fn written(word: &str) -> (String, String) {
        let (name, _) = word.split_once('=').unwrap();
        let key = key(name).unwrap();
        ((key.v2.text)(amount(word)), (key.v1.text)(amount(word)))
    }

    #[test]
    fn each_key_is_written_as_either_version_wants_it() {
        let table = [
            ("m=64M", "67108864", "67108864"),
            ("mem.max=max", "max", "-1"),
            ("swap=0", "0", "0"),
            ("cpu=0.5", "50000 100000", "50000"),
            ("cpu=150%", "150000 100000", "150000"),
            ("cpu=max", "max 100000", "-1"),
            ("cpu=0.01", "1000 100000", "1000"),
            ("weight=100", "100", "1024"),
            ("weight=1", "1", "10"),
            ("weight=10000", "10000", "102400"),
            ("pids=5", "5", "5"),
            ("pids=max", "max", "max"),
        ];
        for (word, v2, v1) in table {
            assert_eq!(written(word), (v2.to_owned(), v1.to_owned()), "{word}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_the_reason() {
        let table = [
            ("m=64X", "X is not a unit"),
            ("m=", "its value is missing"),
            ("m=0", "the least is 4096"),
            ("m=-1", "-1 is not a number"),
            ("m=99999999999999999999", "too large"),
            ("cpu=-1", "-1 is not a number"),
            ("cpu=0", "the least is 0.01"),
            ("cpu=2x", "x is not a unit of it"),
            ("cpu=999999999", "too large"),
            ("weight=0", "the least is 1"),
            ("weight=10001", "the most is 10000"),
            ("weight=max", "max is not a number"),
            ("weight=1.5", "1.5 is not a whole number"),
            ("pids=0", "the least is 1"),
            ("pids=5%", "5% is not a whole number"),
            ("pids=4194305", "the most is 4194304"),
            ("foo=1", "there is no key foo"),
            ("=1", "there is no key ''"),
            ("memory.=1", "there is no key memory."),
            ("../memory.max=1", "there is no key ../memory.max"),
            ("memory.high=", "its value is missing"),
            ("cgroup.procs=1", "cgroup.procs is no limit"),
            ("release_agent=/x", "there is no key release_agent"),
            ("memory.high=1\n2", "control character"),
        ];
        for (word, why) in table {
            let error = Setting::parse(OsStr::new(word)).unwrap_err().to_string();
            assert!(error.contains(why), "{word}: {error}");
        }
    }

    #[test]
    fn files_of_the_kernel_pass_as_they_are() {
        let wish = Setting::parse(OsStr::new("hugetlb.2MB.max=1 a=b")).unwrap().wish;
        assert_eq!(wish, Wish::Raw("hugetlb.2MB.max".to_owned(), "1 a=b".to_owned()));
    }
}
