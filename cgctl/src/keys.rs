//! The vocabulary: one table of keys, with the file of each version of cgroups, how a value is written there, and how
//! it is read again.
//!
//! Sources: admin-guide/cgroup-v2.rst, cgroup-v1/*.rst and scheduler/sched-bwc.rst of the kernel, and the functions
//! named below.

use crate::device::{Io, LIMITS};
use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::size;
use crate::value::{ALL, Amount, PERIOD, Unit, Value, list};
use crate::words::{bytes, count, flag, page_multiple, quota, share_of_period, weight};

/// Reads another file of the same group.
pub type Sibling<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A file of the kernel, with the text that a value has there.
#[derive(Debug)]
pub struct File {
    /// The controller that it belongs to; `cgroup` for what every group of v2 has.
    pub controller: &'static str,
    /// Its name in the directory of the group; `SIZE` in it stands for a size of huge pages.
    pub name: &'static str,
    /// What is written to it.
    pub text: fn(&Value) -> String,
    /// What it says.
    pub read: fn(&str, Sibling<'_>) -> Option<Value>,
}

/// What a version has for a key.
#[derive(Debug)]
pub enum Side {
    /// A file.
    File(File),
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// A row of the vocabulary.
#[derive(Debug)]
pub struct Key {
    /// What the user writes; `SIZE` in it stands for a size of huge pages.
    pub name: &'static str,
    /// What the user may write as well.
    pub alias: Option<&'static str>,
    /// Where it goes in cgroup v2.
    pub v2: Side,
    /// Where it goes in cgroup v1.
    pub v1: Side,
    /// What its numbers count.
    pub unit: Unit,
    /// What the kernel needs for it, where the controller alone is not enough.
    pub needs: Option<&'static str>,
    /// What is allowed, for the message about what is not.
    pub takes: &'static str,
    /// Reads what the user has written, with the size of huge pages.
    pub parse: fn(&str, &str) -> Result<Value, String>,
}

/// The row of the memory limit.
pub const MEMORY: &str = "m";
/// The row of the swap limit, whose v1 file counts memory and swap together.
pub const SWAP: &str = "swap";
/// The row of the limit on processes.
pub const PIDS: &str = "pids";
/// The row of the processor quota.
pub const CPU: &str = "cpu";
/// The row of the share of the processor.
pub const WEIGHT: &str = "weight";
/// The row of the processors.
pub const CPUS: &str = "cpus";
/// The row of traffic limits, which has a line for each device in v2, and four files in v1.
pub const IO: &str = "io";
/// The row of the share of traffic.
pub const IO_WEIGHT: &str = "io.weight";
/// What stands for a size of huge pages.
pub const SIZE: &str = "SIZE";

const BYTES: &str = "bytes with k, M, G or T, a share of the memory (50%), or max";
const NO_V1: &str = "cgroup v1 has nothing like it";
const SOFT: &str = "cgroup v1 has nothing like it: its memory.soft_limit_in_bytes is ignored by the kernel";

const fn file(
    controller: &'static str,
    name: &'static str,
    text: fn(&Value) -> String,
    read: fn(&str, Sibling<'_>) -> Option<Value>,
) -> Side {
    Side::File(File { controller, name, text, read })
}

const fn memory(
    name: &'static str,
    file_name: &'static str,
    needs: Option<&'static str>,
    why: &'static str,
) -> Key {
    Key {
        name,
        alias: None,
        v2: file("memory", file_name, or_max, number),
        v1: Side::Nothing(why),
        unit: Unit::Byte,
        needs,
        takes: BYTES,
        parse: |text, _| bytes(text, 0),
    }
}

const fn yes_or_no(name: &'static str, v2: Side, v1: Side, needs: &'static str) -> Key {
    Key {
        name,
        alias: None,
        v2,
        v1,
        unit: Unit::One,
        needs: Some(needs),
        takes: "0 or 1",
        parse: |text, _| flag(text),
    }
}

const fn set_of(name: &'static str, alias: &'static str, takes: &'static str) -> Key {
    Key {
        name,
        alias: Some(alias),
        v2: file("cpuset", alias, list_or_empty, list_text),
        v1: file("cpuset", alias, list_or_empty, list_text),
        unit: Unit::One,
        needs: None,
        takes,
        parse: |text, _| list(text),
    }
}

const fn tree(name: &'static str, file_name: &'static str) -> Key {
    Key {
        name,
        alias: None,
        v2: file("cgroup", file_name, or_max, number),
        v1: Side::Nothing(NO_V1),
        unit: Unit::One,
        needs: Some("Linux 4.14"),
        takes: "a whole number from 0 to 2147483646, or max",
        parse: |text, _| count(text, 0, 2_147_483_646),
    }
}

/// Every key.
pub const KEYS: [Key; 21] = [
    Key {
        name: MEMORY,
        alias: Some("mem.max"),
        v2: file("memory", "memory.max", or_max, number),
        v1: file("memory", "memory.limit_in_bytes", or_minus_one, number),
        unit: Unit::Byte,
        needs: None,
        takes: "bytes with k, M, G or T (64M, 1.5G, 64MiB, 64MB), a share of the memory (50%), or max",
        parse: |text, _| bytes(text, 4096),
    },
    Key {
        name: SWAP,
        alias: Some("swap.max"),
        v2: file("memory", "memory.swap.max", or_max, number),
        v1: file("memory", "memory.memsw.limit_in_bytes", or_minus_one, swap_of_both),
        unit: Unit::Byte,
        needs: Some("swap accounting: CONFIG_SWAP, or swapaccount=1 at boot before Linux 5.18"),
        takes: "bytes of swap in addition to m (0, 64M, 1.5G), a share of the swap (50%), or max",
        parse: |text, _| crate::words::swap(text),
    },
    memory("mem.high", "memory.high", None, SOFT),
    memory("mem.low", "memory.low", None, SOFT),
    memory("mem.min", "memory.min", Some("Linux 4.18"), SOFT),
    memory("swap.high", "memory.swap.high", Some("Linux 5.8 with CONFIG_SWAP"), NO_V1),
    memory("zswap.max", "memory.zswap.max", Some("Linux 5.19 with CONFIG_ZSWAP"), NO_V1),
    yes_or_no(
        "zswap.writeback",
        file("memory", "memory.zswap.writeback", or_max, number),
        Side::Nothing(NO_V1),
        "Linux 6.8 with CONFIG_ZSWAP",
    ),
    yes_or_no(
        "oom.group",
        file("memory", "memory.oom.group", or_max, number),
        Side::Nothing("cgroup v1 has nothing like it: its memory.oom_control turns the OOM killer off"),
        "Linux 4.19",
    ),
    Key {
        name: CPU,
        alias: None,
        v2: file("cpu", "cpu.max", quota_and_period, quota_of_pair),
        v1: file("cpu", "cpu.cfs_quota_us", or_minus_one, quota_of_two_files),
        unit: Unit::Core,
        needs: Some("CONFIG_CFS_BANDWIDTH"),
        takes: "processor cores (0.5, 2) or a share of one (50%, 150%), from 0.01, or max",
        parse: |text, _| quota(text),
    },
    Key {
        name: "cpu.burst",
        alias: None,
        v2: file("cpu", "cpu.max.burst", or_max, number),
        v1: file("cpu", "cpu.cfs_burst_us", or_max, number),
        unit: Unit::Core,
        needs: Some("Linux 5.14"),
        takes: "processor cores (0.5) or a share of one (50%), at most as much as cpu; 0 for none",
        parse: |text, _| share_of_period(text),
    },
    Key {
        name: WEIGHT,
        alias: Some("cpu.weight"),
        v2: file("cpu", "cpu.weight", or_max, weight_text),
        v1: file("cpu", "cpu.shares", shares, weight_of_shares),
        unit: Unit::One,
        needs: None,
        takes: "a whole number from 1 to 10000; 100 is usual",
        parse: |text, _| weight(text),
    },
    yes_or_no(
        "cpu.idle",
        file("cpu", "cpu.idle", or_max, number),
        file("cpu", "cpu.idle", or_max, number),
        "Linux 5.15",
    ),
    set_of(CPUS, "cpuset.cpus", "processors as 0-1,3, or all that the group above has"),
    set_of("mems", "cpuset.mems", "memory nodes as 0-1,3, or all that the group above has"),
    Key {
        name: PIDS,
        alias: Some("pids.max"),
        v2: file("pids", "pids.max", or_max, number),
        v1: file("pids", "pids.max", or_max, number),
        unit: Unit::One,
        needs: None,
        takes: "a whole number of processes and threads from 1 to 4194304, or max",
        parse: |text, _| count(text, 1, 4_194_304),
    },
    Key {
        name: IO,
        alias: None,
        v2: file("io", "io.max", io_line, no_single),
        v1: file("blkio", "blkio.throttle.*_device", io_line, no_single),
        unit: Unit::One,
        needs: Some("CONFIG_BLK_DEV_THROTTLING"),
        takes: "DEVICE:LIMIT=N,... with a device, a file on it or MAJ:MIN, and rbps, wbps (bytes a second), riops, wiops (operations) or max",
        parse: |text, _| Io::parse(text).map(Value::Io),
    },
    Key {
        name: IO_WEIGHT,
        alias: None,
        v2: file("io", "io.weight", or_max, default_number),
        v1: file("blkio", "blkio.bfq.weight", bfq_weight, weight_of_bfq),
        unit: Unit::One,
        needs: Some("CONFIG_BLK_CGROUP_IOCOST, or the scheduler bfq: modprobe bfq"),
        takes: "a whole number from 1 to 10000; 100 is usual",
        parse: |text, _| weight(text),
    },
    Key {
        name: "hugetlb.SIZE",
        alias: None,
        v2: file("hugetlb", "hugetlb.SIZE.max", or_max, number),
        v1: file("hugetlb", "hugetlb.SIZE.limit_in_bytes", or_minus_one, number),
        unit: Unit::Byte,
        needs: Some("huge pages of that size"),
        takes: "bytes in whole pages of that size (hugetlb.2MB=64M), or max",
        parse: page_multiple,
    },
    tree("depth", "cgroup.max.depth"),
    tree("descendants", "cgroup.max.descendants"),
];

/// The file of io.weight where the scheduler bfq takes the place of the io.cost controller.
const BFQ: File = File { controller: "io", name: "io.bfq.weight", text: bfq_weight, read: weight_of_bfq };

/// A row, and the size of huge pages that the name had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name of the row in [`KEYS`].
    pub row: &'static str,
    /// The size as the kernel writes it; empty where the row has none.
    pub size: String,
}

/// The row of this name or alias.
pub fn find(name: &str) -> Option<(&'static Key, Named)> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name || key.alias == Some(name)) {
        return (!key.has_size()).then(|| (key, Named { row: key.name, size: String::new() }));
    }
    let key = KEYS.iter().find(|key| key.has_size())?;
    let size = page_size(name.strip_prefix(key.name.strip_suffix(SIZE)?)?)?;
    Some((key, Named { row: key.name, size }))
}

/// `2M`, `2MiB` and `2MB` are all written 2MB by the kernel (hugetlb_cgroup_cfttypes_init in mm/hugetlb_cgroup.c).
fn page_size(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let (number, unit) = text.split_at(end);
    let mut letters = unit.chars();
    let letter =
        letters.next().map(|letter| letter.to_ascii_uppercase()).filter(|letter| "KMG".contains(*letter))?;
    matches!(letters.as_str(), "" | "B" | "b" | "i" | "iB").then(|| format!("{number}{letter}B"))
}

impl Named {
    /// The row.
    pub fn key(&self) -> &'static Key {
        // Made by `find` only.
        KEYS.iter().find(|key| key.name == self.row).unwrap_or(&KEYS[0])
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.row.replace(SIZE, &self.size))
    }
}

/// The row that writes this file in one of the versions, and the size of huge pages in its name.
pub fn of_file(file: &str) -> Option<(&'static Key, Named)> {
    KEYS.iter().find_map(|key| {
        let size = [&key.v2, &key.v1].into_iter().find_map(|side| side.file()?.size_in(file))?;
        Some((key, Named { row: key.name, size }))
    })
}

impl Side {
    /// The file, if there is one.
    pub fn file(&self) -> Option<&File> {
        match self {
            Side::File(file) => Some(file),
            Side::Nothing(_) => None,
        }
    }
}

impl File {
    /// Its name for this size of huge pages.
    pub fn name(&self, size: &str) -> String {
        self.name.replace(SIZE, size)
    }

    /// The size of huge pages in a name of this file; empty where the file has none.
    pub fn size_in(&self, name: &str) -> Option<String> {
        match self.name.split_once(SIZE) {
            None => (self.name == name).then(String::new),
            Some((before, after)) => {
                let size = name.strip_prefix(before)?.strip_suffix(after)?;
                (!size.contains('.')).then(|| size.to_owned())
            }
        }
    }
}

impl Key {
    /// Its name has a size of huge pages in it.
    pub fn has_size(&self) -> bool {
        self.name.ends_with(SIZE)
    }

    /// Where it goes here: the hierarchy and the file, or why there is none.
    pub fn place<'a>(&'a self, all: &Hierarchies) -> Result<(usize, &'a File), Absent> {
        let of = |side: &'a Side, version| {
            let file = side.file()?;
            let index = match file.controller {
                "cgroup" => all.unified(),
                controller => all.of(controller),
            }?;
            (all.0[index].version == version).then_some((index, file))
        };
        if let Some((index, file)) = of(&self.v2, Version::V2) {
            return Ok((index, self.variant(&all.0[index]).unwrap_or(file)));
        }
        of(&self.v1, Version::V1).ok_or_else(|| self.absent(all))
    }

    /// Another file of the same meaning, where this kernel has that one.
    fn variant(&self, unified: &Hierarchy) -> Option<&'static File> {
        let has = |name: &str| unified.mount.join(name).exists();
        // The top has the one, the top as a container sees it the other.
        (self.name == IO_WEIGHT && !has("io.cost.qos") && !has("io.weight")).then_some(&BFQ)
    }

    fn absent(&self, all: &Hierarchies) -> Absent {
        match (&self.v2, &self.v1) {
            (Side::File(v2), Side::Nothing(why)) => match all.of(v2.controller) {
                Some(_) => Absent::Version(why),
                None if v2.controller == "cgroup" => Absent::NoV2,
                None => Absent::Controller(v2.controller),
            },
            (Side::File(file), _) | (Side::Nothing(_), Side::File(file)) => {
                Absent::Controller(file.controller)
            }
            (Side::Nothing(why), Side::Nothing(_)) => Absent::Version(why),
        }
    }

    /// The files of a group and the texts for them that make up `value`.
    pub fn writes(&self, file: &File, size: &str, value: &Value) -> Vec<(String, String)> {
        match value {
            Value::Io(io) if file.controller == "blkio" => {
                io.lines().into_iter().map(|(file, text)| (file.to_owned(), text)).collect()
            }
            value => vec![(file.name(size), (file.text)(value))],
        }
    }

    /// The files of a group that make up the value.
    pub fn files(&self, file: &File, size: &str) -> impl Iterator<Item = String> {
        let throttle = self.name == IO && file.controller == "blkio";
        let single = (!throttle).then(|| file.name(size));
        single
            .into_iter()
            .chain(LIMITS.iter().filter(move |_| throttle).map(|(_, file, _)| (*file).to_owned()))
    }

    /// What the files of a group say; several for a key with a line for each device.
    pub fn read(&self, file: &File, size: &str, read: Sibling<'_>) -> Vec<Value> {
        if self.name != IO {
            let text = read(&file.name(size));
            return text.and_then(|text| (file.read)(text.trim(), read)).into_iter().collect();
        }
        let all = match file.controller {
            "blkio" => Io::of_files(read),
            _ => read(file.name).unwrap_or_default().lines().filter_map(Io::of_line).collect(),
        };
        all.into_iter().map(Value::Io).collect()
    }
}

/// Why a key has no file here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// This controller is not here.
    Controller(&'static str),
    /// The version of cgroups that the controller is in has nothing for it, and why.
    Version(&'static str),
    /// It needs cgroup v2, which is not mounted.
    NoV2,
}

impl Absent {
    /// The reason in words.
    pub fn text(self, all: &Hierarchies) -> String {
        match self {
            Absent::Controller(controller) => {
                let also =
                    if controller == "io" && all.unified().is_none() { " (blkio in cgroup v1)" } else { "" };
                format!("the {controller} controller{also} is not available here")
            }
            Absent::Version(why) => why.to_owned(),
            Absent::NoV2 => "cgroup v2 is not mounted here".to_owned(),
        }
    }
}

fn or_max(value: &Value) -> String {
    or(value, "max")
}

fn or_minus_one(value: &Value) -> String {
    or(value, "-1")
}

fn or(value: &Value, max: &str) -> String {
    match value {
        Value::Amount(Amount::Number(number)) => number.to_string(),
        Value::List(list) => list.clone(),
        Value::Amount(Amount::Max) | Value::Io(_) => max.to_owned(),
    }
}

fn quota_and_period(value: &Value) -> String {
    format!("{} {PERIOD}", or_max(value))
}

/// The kernel's own scale, 100 of v2 being 1024 of v1 (sched_weight_from_cgroup in kernel/sched/sched.h).
fn shares(value: &Value) -> String {
    scaled(value, |weight| (weight * 1024 + 50) / 100)
}

/// The scale of systemd: up to the default the same, above it 900 steps instead of 9900 (cgroup-util.h there).
fn bfq_weight(value: &Value) -> String {
    scaled(value, |weight| if weight <= 100 { weight } else { 100 + (weight - 100) * 900 / 9900 })
}

fn scaled(value: &Value, scale: fn(u64) -> u64) -> String {
    match value {
        Value::Amount(Amount::Number(weight)) => scale(*weight).to_string(),
        other => or_max(other),
    }
}

/// An empty list of v2 means what the group above has; for v1 that is copied from there, see [`crate::plan`].
fn list_or_empty(value: &Value) -> String {
    match value {
        Value::List(list) if list == ALL => "\n".to_owned(),
        other => or_max(other),
    }
}

fn io_line(value: &Value) -> String {
    match value {
        Value::Io(io) => io.line(),
        other => or_max(other),
    }
}

fn amount(number: u64) -> Option<Value> {
    Some(Value::Amount(Amount::Number(number)))
}

/// v1 has no word for "no limit": it is the largest number of whole pages.
fn number(text: &str, _: Sibling<'_>) -> Option<Value> {
    const LARGEST_PAGE: u64 = 1 << 16;
    match text {
        "max" | "-1" => Some(Value::Amount(Amount::Max)),
        text => match text.parse().ok()? {
            number if number > size::MOST - LARGEST_PAGE => Some(Value::Amount(Amount::Max)),
            number => amount(number),
        },
    }
}

fn swap_of_both(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    let memory = number(sibling("memory.limit_in_bytes")?.trim(), sibling)?;
    match (number(text, sibling)?, memory) {
        (Value::Amount(Amount::Number(both)), Value::Amount(Amount::Number(memory))) => {
            amount(both.saturating_sub(memory))
        }
        _ => Some(Value::Amount(Amount::Max)),
    }
}

fn in_period(quota: &str, period: &str) -> Option<Value> {
    match quota {
        "max" | "-1" => Some(Value::Amount(Amount::Max)),
        quota => {
            let (quota, period): (u64, u64) = (quota.parse().ok()?, period.parse().ok()?);
            amount(quota.checked_mul(PERIOD)?.checked_div(period)?)
        }
    }
}

fn quota_of_pair(text: &str, _: Sibling<'_>) -> Option<Value> {
    let (quota, period) = text.split_once(' ')?;
    in_period(quota, period)
}

fn quota_of_two_files(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    in_period(text, sibling("cpu.cfs_period_us")?.trim())
}

/// With `cpu.idle` it reads 0, and cannot be written.
fn weight_text(text: &str, _: Sibling<'_>) -> Option<Value> {
    text.parse().ok().filter(|weight| *weight > 0).and_then(amount)
}

/// Those of a group with `cpu.idle` are 3, and cannot be written.
fn weight_of_shares(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    if sibling("cpu.idle").is_some_and(|idle| idle.trim() == "1") {
        return None;
    }
    let shares: u64 = text.parse().ok()?;
    amount(((shares * 100 + 512) / 1024).clamp(1, 10_000))
}

/// `default 100`, and a line for each device that has a weight of its own.
fn default_number(text: &str, _: Sibling<'_>) -> Option<Value> {
    let first = text.lines().next()?;
    first.strip_prefix("default ").unwrap_or(first).parse().ok().and_then(amount)
}

fn weight_of_bfq(text: &str, sibling: Sibling<'_>) -> Option<Value> {
    match default_number(text, sibling)? {
        Value::Amount(Amount::Number(weight)) if weight > 100 => amount(100 + (weight - 100) * 9900 / 900),
        other => Some(other),
    }
}

fn list_text(text: &str, _: Sibling<'_>) -> Option<Value> {
    Some(Value::List(if text.is_empty() { ALL.to_owned() } else { text.to_owned() }))
}

/// A key with a line for each device is not read as one value.
fn no_single(_: &str, _: Sibling<'_>) -> Option<Value> {
    None
}
