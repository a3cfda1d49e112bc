//! What the limits did to the command, in a line each: a status of 137 alone does not tell.
//!
//! A limit may be that of the group, of one that the command has made in it, or of one around it. What was counted
//! there before this group was made is not its affair, so [`Before`] is noted first.

use crate::group::{Directory, Group, Part};
use crate::hierarchy::{Hierarchies, Version, file, tree};
use crate::view::stat::{counts_pids_at_the_limit, oom_kills, refused_forks};
use crate::vocabulary::keys::{MEMORY, PIDS};
use crate::vocabulary::size;
use chain::text::show;
use std::path::{Path, PathBuf};

/// What the groups around had counted before, the nearest first.
#[derive(Debug)]
pub struct Before {
    memory: Vec<(PathBuf, u64)>,
    pids: Vec<(PathBuf, u64)>,
}

impl Before {
    /// To be noted before the command is started.
    pub fn note(group: &Group, hierarchies: &Hierarchies) -> Self {
        let counts = |controller, count: fn(&Path, Version) -> u64| {
            let Some(part) = part(group, hierarchies, controller) else { return Vec::new() };
            let version = part.place.version;
            around(part).map(|path| (path.to_owned(), count(path, version))).collect()
        };
        Before { memory: counts("memory", memory_refusals), pids: counts(PIDS, pids_refusals) }
    }
}

/// A line for what was killed for want of memory, and one for what was not started for the limit on processes; none
/// for what did not happen. To be asked for before the group is removed.
pub fn lines(group: &Group, hierarchies: &Hierarchies, before: &Before) -> Vec<String> {
    let memory = part(group, hierarchies, "memory").and_then(|part| out_of_memory(part, before));
    let processes = part(group, hierarchies, PIDS).and_then(|part| out_of_processes(part, before));
    [memory, processes].into_iter().flatten().map(|line| format!("{}: {line}", group.name)).collect()
}

fn part<'a>(group: &'a Group, hierarchies: &Hierarchies, controller: &str) -> Option<&'a Part> {
    group.parts.iter().find(|part| match part.place.version {
        Version::V1 => hierarchies.0[part.hierarchy].has(controller),
        Version::V2 => hierarchies.of(controller).is_none_or(|index| index == part.hierarchy),
    })
}

/// The groups around it that have limits: the root has none, but what is mounted in a container is not the root.
fn around(part: &Part) -> impl Iterator<Item = &Path> {
    let path = &part.directory.path;
    path.ancestors().skip(1).take_while(|group| group.starts_with(&part.place.mount))
}

/// The names that the two versions have for the same.
struct Memory {
    limit: &'static str,
    peak: &'static str,
}

/// v1 shows a number of pages near this where there is no limit, v2 a word.
const NO_LIMIT: u64 = i64::MAX as u64 / 2;

const V1: Memory = Memory { limit: "memory.limit_in_bytes", peak: "memory.max_usage_in_bytes" };
const V2: Memory = Memory { limit: "memory.max", peak: "memory.peak" };

fn out_of_memory(part: &Part, before: &Before) -> Option<String> {
    let victims = oom_kills(&part.directory).filter(|count| *count > 0)?;
    let names = if part.place.version == Version::V1 { V1 } else { V2 };
    let own = &part.directory.path;
    let peak = number(own, names.peak).map_or("unknown".to_owned(), size::show);
    let swap = number(own, "memory.swap.peak").filter(|bytes| *bytes > 0);
    let swap = swap.map_or(String::new(), |bytes| format!(", swap {}", size::show(bytes)));
    let ended = ended(own, victims);
    Some(format!("the OOM killer ended {ended}: {} (peak {peak}{swap})", cause(part, &names, before)))
}

/// When a group is killed as a whole, the first of it is counted twice: no number then.
fn ended(own: &Path, victims: u64) -> String {
    match events(own, "memory.events.local", "oom_group_kill") {
        0 => plural(victims, "process", "processes"),
        _ => "the whole group".to_owned(),
    }
}

/// Whose limit it was.
fn cause(part: &Part, names: &Memory, before: &Before) -> String {
    let limit = |group: &Path| {
        let bytes = number(group, names.limit).filter(|bytes| *bytes < NO_LIMIT);
        bytes.map_or("that it had".to_owned(), |bytes| format!("{MEMORY}={}", size::show(bytes)))
    };
    let own = &part.directory.path;
    let version = part.place.version;
    if memory_refusals(own, version) > 0 || is_full(own, version) {
        return format!("the limit {} was reached", limit(own));
    }
    if was_reached_within(&part.directory) {
        return "a limit that the command has set within was reached".to_owned();
    }
    let grown = |(group, count): &&(PathBuf, u64)| memory_refusals(group, version) > *count;
    let full = |(group, _): &&(PathBuf, u64)| is_full(group, version);
    let around = before.memory.iter().find(grown).or_else(|| before.memory.iter().find(full));
    match around {
        Some((group, _)) => {
            format!("the limit {} of the group {} around it was reached", limit(group), shown(group, part))
        }
        None => "the machine, or a container around this, was out of memory".to_owned(),
    }
}

/// How often the limit of this very group stood in the way.
fn memory_refusals(group: &Path, version: Version) -> u64 {
    match version {
        Version::V1 => {
            ["memory.failcnt", "memory.memsw.failcnt"].iter().filter_map(|file| number(group, file)).sum()
        }
        Version::V2 => events(group, "memory.events.local", "oom"),
    }
}

/// v1 kernels since 6.15 do not count refusals of memory and swap together, which is the limit that an `m` alone sets:
/// then it is told by the peak, which stays less than a batch of charges (64 pages) below the limit.
fn is_full(group: &Path, version: Version) -> bool {
    let peak = number(group, V1.peak).unwrap_or(0);
    version == Version::V1 && number(group, V1.limit).is_some_and(|limit| peak + 64 * 4096 > limit)
}

/// v2 counts upwards from where the limit is, also for groups that have been removed since.
fn was_reached_within(directory: &Directory) -> bool {
    let own = &directory.path;
    if directory.version == Version::V2 {
        return events(own, "memory.events", "oom") > events(own, "memory.events.local", "oom");
    }
    let mut found = false;
    let _ = tree::each(directory, |_, path| {
        let group = own.join(path);
        let is_below = path.components().next().is_some();
        found |= is_below && (memory_refusals(&group, Version::V1) > 0 || is_full(&group, Version::V1));
    });
    found
}

fn out_of_processes(part: &Part, before: &Before) -> Option<String> {
    match refused_forks(&part.directory).unwrap_or(0) {
        0 if counts_pids_at_the_limit(&part.directory) => out_of_processes_around(part, before),
        0 => None,
        count => Some(format!("{} at {}", refused(count), cause_of_refusal(part, before))),
    }
}

/// Others may be in there too, so it is said of that group, not of this one.
fn out_of_processes_around(part: &Part, before: &Before) -> Option<String> {
    let more =
        |group: &Path, count| pids_refusals(group, Version::V2).checked_sub(count).filter(|more| *more > 0);
    let mut around = before.pids.iter();
    let (group, more) = around.find_map(|(group, count)| Some((group, more(group, *count)?)))?;
    let (name, limit) = (shown(group, part), pids_limit(group)?);
    Some(format!("in the group {name} around it, {} at {PIDS}={limit} meanwhile", refused(more)))
}

fn refused(count: u64) -> String {
    format!("fork was refused {}", plural(count, "time", "times"))
}

/// The group of the limit is not counted in v1 and in older kernels; the one that has been full is it.
fn cause_of_refusal(part: &Part, before: &Before) -> String {
    if let Some(limit) = full_of_processes(&part.directory.path) {
        return format!("{PIDS}={limit}");
    }
    let around = before.pids.iter().find_map(|(group, _)| Some((group, full_of_processes(group)?)));
    match around {
        Some((group, limit)) => format!("{PIDS}={limit} of the group {} around it", shown(group, part)),
        None => "a limit that the command has set within".to_owned(),
    }
}

/// The limit of a group on processes, when it has been reached or when that is not known.
fn full_of_processes(group: &Path) -> Option<u64> {
    let limit = pids_limit(group)?;
    number(group, "pids.peak").is_none_or(|peak| peak >= limit).then_some(limit)
}

fn pids_limit(group: &Path) -> Option<u64> {
    number(group, "pids.max")
}

/// Of the limit of this very group; only where that is counted.
fn pids_refusals(group: &Path, version: Version) -> u64 {
    if version == Version::V1 { 0 } else { events(group, "pids.events.local", "max") }
}

/// A group as messages name it: from the top of its hierarchy.
fn shown(group: &Path, part: &Part) -> String {
    show(Path::new("/").join(group.strip_prefix(&part.place.mount).unwrap_or(group)))
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn events(group: &Path, file: &str, name: &str) -> u64 {
    text(group, file).and_then(|text| file::field(&text, name)).unwrap_or(0)
}

fn number(group: &Path, name: &str) -> Option<u64> {
    text(group, name)?.parse().ok()
}

fn text(group: &Path, name: &str) -> Option<String> {
    Some(file::read_path(group.join(name)).ok()?.trim().to_owned())
}
