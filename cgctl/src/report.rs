//! What the limits did to the command, in a line each: a status of 137 alone does not tell.

use crate::file;
use crate::group::{Group, Part};
use crate::hierarchy::{Hierarchies, Version};
use crate::keys::{MEMORY, PIDS};
use crate::size;
use crate::tree;
use chain::error::say;
use std::path::Path;

/// Says what was killed for want of memory, and what was not started for the limit on processes.
pub fn tell(group: &Group, hierarchies: &Hierarchies) {
    let part = |controller: &str| {
        group.parts.iter().find(|part| match part.place.version {
            Version::V1 => hierarchies.0[part.hierarchy].has(controller),
            Version::V2 => hierarchies.of(controller).is_none_or(|index| index == part.hierarchy),
        })
    };
    let lines = [part("memory").and_then(out_of_memory), part(PIDS).and_then(out_of_processes)];
    for line in lines.into_iter().flatten() {
        say(&format!("{}: {line}", group.name));
    }
}

/// The names that the two versions have for the same.
struct Memory {
    limit: &'static str,
    peak: &'static str,
}

const V1: Memory = Memory { limit: "memory.limit_in_bytes", peak: "memory.max_usage_in_bytes" };
const V2: Memory = Memory { limit: "memory.max", peak: "memory.peak" };

fn out_of_memory(part: &Part) -> Option<String> {
    let victims = victims(part)?;
    let names = if part.place.version == Version::V1 { V1 } else { V2 };
    let peak = number(&part.directory, names.peak).map_or("unknown".to_owned(), size::show);
    let processes = plural(victims, "process", "processes");
    Some(format!("the OOM killer ended {processes}: {} (peak {peak})", cause(part, &names)))
}

/// How many processes the OOM killer has ended; `None` for none.
fn victims(part: &Part) -> Option<u64> {
    let count = match part.place.version {
        Version::V2 => file::field(&file::read(&part.directory, "memory.events").ok()?, "oom_kill")?,
        Version::V1 => {
            sum(part, |group| file::field(&file::read(group, "memory.oom_control").ok()?, "oom_kill"))
        }
    };
    (count > 0).then_some(count)
}

/// v1 counts in the group of the victim only.
fn sum(part: &Part, count: impl Fn(&std::os::fd::OwnedFd) -> Option<u64>) -> u64 {
    let mut total = 0;
    let _ = tree::each(&part.directory, |group, _| total += count(group).unwrap_or(0));
    total
}

/// Whose limit it was: the own group's, that of a group which the command made, or of one around.
fn cause(part: &Part, names: &Memory) -> String {
    let limit = |group: &Path| {
        text(group, names.limit).map_or("its limit".to_owned(), |text| format!("{MEMORY}={}", amount(&text)))
    };
    let own = &part.directory.path;
    if was_reached(own, part.place.version) {
        return format!("the limit {} was reached", limit(own));
    }
    let mut inner = false;
    let _ = tree::each(&part.directory, |_, path| inner |= was_reached(&own.join(path), part.place.version));
    if inner {
        return "a limit that the command has set within was reached".to_owned();
    }
    let around = own.ancestors().skip(1).take_while(|group| group.starts_with(&part.place.mount));
    match around
        .into_iter()
        .find(|group| *group != part.place.mount && was_reached(group, part.place.version))
    {
        Some(group) => {
            format!("the limit {} of the group {} around it was reached", limit(group), group.display())
        }
        None => "the machine, or a container around this, was out of memory".to_owned(),
    }
}

/// v1 counts refusals, but kernels since 6.15 not those of memory and swap together, which is the limit that an `m`
/// alone sets: then it is told by the peak, which stays less than a batch of charges (64 pages) below the limit.
fn was_reached(group: &Path, version: Version) -> bool {
    let count = |file: &str| text(group, file).and_then(|text| text.parse::<u64>().ok());
    match version {
        Version::V1 => {
            let refused =
                count("memory.failcnt").unwrap_or(0) + count("memory.memsw.failcnt").unwrap_or(0) > 0;
            let peak = count(V1.peak).unwrap_or(0);
            refused || count(V1.limit).is_some_and(|limit| peak + 64 * 4096 > limit)
        }
        Version::V2 => {
            text(group, "memory.events.local").and_then(|text| file::field(&text, "oom")).unwrap_or(0) > 0
        }
    }
}

fn out_of_processes(part: &Part) -> Option<String> {
    let limit = file::read(&part.directory, "pids.max").ok()?;
    let events = file::read(&part.directory, "pids.events").ok()?;
    let refused = file::field(&events, "max").filter(|count| *count > 0)?;
    Some(format!("fork was refused {} at {PIDS}={}", plural(refused, "time", "times"), limit.trim()))
}

fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn amount(text: &str) -> String {
    text.parse().map_or(text.to_owned(), size::show)
}

fn number(dir: impl std::os::fd::AsFd, name: &str) -> Option<u64> {
    file::read(dir, name).ok()?.trim().parse().ok()
}

fn text(group: &Path, name: &str) -> Option<String> {
    Some(file::read_path(group.join(name)).ok()?.trim().to_owned())
}
