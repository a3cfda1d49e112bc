//! Limits of a group that is there: all that were asked for, or none.

use crate::existing::extend::Extension;
use crate::existing::{Group, read};
use crate::group::controllers::{self, Way};
use crate::group::{Directories, Directory};
use crate::hierarchy::place::{self, Kind};
use crate::hierarchy::{Hierarchies, Version, file};
use crate::plan::{Plan, Present, Write, refusal};
use crate::vocabulary::keys::{self, MEMORY, SWAP};
use crate::vocabulary::setting::Setting;
use crate::vocabulary::size;
use crate::vocabulary::value::{Amount, Value};
use chain::error::say;
use chain::text::show;
use chain::{Error, Result};
use rustix::io::Errno;
use std::path::Path;

/// What the user allows.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Less memory than is used.
    pub force: bool,
    /// To move processes that are in the way of a controller.
    pub evacuates: bool,
}

/// Sets them in every hierarchy that they belong to.
pub fn apply(group: &Group, settings: &[Setting], rules: Rules, all: &Hierarchies) -> Result<()> {
    if group.parts.iter().all(|part| part.relative == Path::new("")) {
        return Err(Error::new(
            "limit the top of a hierarchy",
            "it is the whole machine, or the whole container",
        ));
    }
    let plan = Plan::new(settings, present(group, all), all)?;
    if !rules.force {
        check_usage(group, settings, all)?;
    }
    let mut way = Way { evacuates: rules.evacuates, stays: true, leaf: None };
    let mut extensions = Vec::new();
    for used in plan.uses.iter().filter(|used| !used.controllers.is_empty()) {
        match group.parts.iter().find(|part| part.hierarchy == used.hierarchy) {
            Some(part) => {
                let above = part.relative.parent().unwrap_or(Path::new(""));
                let place = place::given(&all.0[used.hierarchy], above, Kind::Inside);
                controllers::enable(&place, &used.controllers, &mut way)?;
            }
            None => extensions.push(Extension::make(group, used.hierarchy, all)?),
        }
    }
    let directory = |hierarchy: usize| {
        let new = extensions.iter().find(|new| new.hierarchy == hierarchy).map(|new| &new.directory);
        new.or_else(|| group.directory(hierarchy))
    };
    let mut done = Done { group: &group.name, writes: Vec::new() };
    for write in &plan.writes {
        let Some(directory) = directory(write.hierarchy) else { continue };
        if let Err(error) = done.write(directory, write) {
            done.undo();
            return Err(error);
        }
    }
    for extension in &extensions {
        if let Err(error) = extension.fill(group) {
            done.undo();
            return Err(error);
        }
    }
    drop(done);
    extensions.into_iter().for_each(Extension::keep);
    Ok(())
}

fn present(group: &Group, all: &Hierarchies) -> Present {
    let amount = |row| {
        let (_, named) = keys::find(row)?;
        match read::values(group, &named, all).ok()?.first()? {
            Value::Amount(amount) => Some(*amount),
            _ => None,
        }
    };
    let burst = match amount("cpu.burst") {
        Some(Amount::Number(burst)) => burst,
        _ => 0,
    };
    Present { memory: amount(MEMORY).unwrap_or(Amount::Max), swap: amount(SWAP), burst }
}

/// Below what is used, v2 kills at once, and v1 refuses after having tried for long.
fn check_usage(group: &Group, settings: &[Setting], all: &Hierarchies) -> Result<()> {
    let wanted = settings.iter().find_map(|setting| match setting.value_of(MEMORY)? {
        Value::Amount(Amount::Number(number)) => Some((setting, *number)),
        _ => None,
    });
    let (Some((setting, wanted)), Some(directory)) = (wanted, group.with_controller("memory", all)) else {
        return Ok(());
    };
    let name = if directory.version == Version::V1 { "memory.usage_in_bytes" } else { "memory.current" };
    let used = file::read(directory, name).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if used <= wanted {
        return Ok(());
    }
    Err(refusal::refused(setting, format_args!("the group uses {} already", size::show(used)))
        .hint("--force lets the kernel take it back, and end processes of the group if it cannot"))
}

/// What has been written, with what was there before.
struct Done<'a> {
    group: &'a str,
    writes: Vec<(&'a Directory, &'a Write, Option<String>)>,
}

impl<'a> Done<'a> {
    fn write(&mut self, directory: &'a Directory, write: &'a Write) -> Result<()> {
        let before = file::read(directory, &write.file).ok();
        match directory.set(&write.file, &write.text) {
            Ok(()) => self.writes.push((directory, write, before)),
            Err(Errno::NOENT) if write.word.is_none() => {}
            Err(errno) => return Err(refusal::by_kernel(errno, write)),
        }
        Ok(())
    }

    /// Puts back what was there, the last first, and tells what could not be.
    fn undo(&self) {
        let (mut back, mut stuck) = (Vec::new(), Vec::new());
        for (directory, write, before) in self.writes.iter().rev() {
            let line = before.as_deref().and_then(|before| previous(before, write));
            let done = line.is_some_and(|line| file::write(directory, &write.file, &line).is_ok());
            if done { back.push(*write) } else { stuck.push(*write) }
        }
        self.tell(&back, "as before");
        self.tell(&stuck, "changed, and cannot be put back");
    }

    fn tell(&self, writes: &[&Write], what: &str) {
        let words = writes.iter().rev().filter_map(|write| write.word.as_deref());
        let mut names: Vec<String> = words.map(|word| show(name(word))).collect();
        names.dedup();
        match &names[..] {
            [] => {}
            [one] => say(&format!("{}: {one} is {what}", self.group)),
            many => say(&format!("{}: {} are {what}", self.group, many.join(", "))),
        }
    }
}

fn name(word: &str) -> &str {
    word.split_once('=').map_or(word, |(name, _)| name)
}

/// The text that makes a file say again what it said; `None` for a file of several lines that are not of devices.
fn previous(before: &str, write: &Write) -> Option<String> {
    let device = write.text.split(' ').next().unwrap_or_default();
    let line = before.lines().find(|line| line.split(' ').next() == Some(device));
    match write.file.as_str() {
        "io.max" => Some(
            line.map_or_else(|| format!("{device} rbps=max wbps=max riops=max wiops=max"), str::to_owned),
        ),
        file if file.starts_with("blkio.throttle.") => {
            Some(line.map_or_else(|| format!("{device} 0"), str::to_owned))
        }
        _ if before.starts_with("default ") => before.lines().next().map(str::to_owned),
        _ => match before.trim_end() {
            "" => Some("\n".to_owned()),
            one if !one.contains('\n') => Some(one.to_owned()),
            _ => None,
        },
    }
}
