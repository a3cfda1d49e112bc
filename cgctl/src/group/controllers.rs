//! cgroup v2: a controller works in a group when every group above has it in `cgroup.subtree_control`
//! (admin-guide/cgroup-v2.rst, "Top-down Constraint" and "No Internal Process Constraint").

use crate::group::Directory;
use crate::group::claim::{Claim, claim};
use crate::group::evacuate::evacuate;
use crate::hierarchy::place::Place;
use crate::hierarchy::{Version, file, systemd, tree};
use crate::plan::advice;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where this process went to make its own group free of processes, and how to get back.
#[derive(Debug)]
pub struct Leaf {
    place: Place,
    directory: Directory,
    own: PathBuf,
    enabled: Vec<(PathBuf, String)>,
}

/// How the names of leaf groups begin.
const LEAF: &str = "caller-";

/// The name is one of a leaf group.
pub fn is_leaf(name: &OsStr) -> bool {
    name.as_bytes().starts_with(LEAF.as_bytes())
}

/// What may be done about processes that are in the way, and what was.
#[derive(Debug, Default)]
pub struct Way {
    /// They may be moved for good, see [`evacuate`](crate::group::evacuate).
    pub evacuates: bool,
    /// What is enabled has to stay so.
    pub stays: bool,
    /// Where this process had to move, if it was alone in the group where controllers were missing.
    pub leaf: Option<Leaf>,
}

/// Enables `controllers` for the groups in `place`, from the top down, only where they are missing.
pub fn enable(place: &Place, controllers: &[String], way: &mut Way) -> Result<()> {
    if controllers.is_empty() || place.version == Version::V1 {
        return Ok(());
    }
    for relative in from_the_top(place) {
        let group: PathBuf = place.mount.iter().chain(&relative).collect();
        let missing = missing(&group, controllers)?;
        if missing.is_empty() {
            continue;
        }
        check_ours(place, &relative, &missing)?;
        if way.leaf.is_none() && !has_no_processes(&group) {
            check_domain(&group)?;
            make_way(place, &group, &missing, way)?;
        }
        let line = missing.iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" ");
        change(&group, &line).map_err(|e| explain(e, &group, &missing))?;
        if let Some(leaf) = &mut way.leaf {
            leaf.enabled.push((group, line.replace('+', "-")));
        }
    }
    Ok(())
}

fn make_way(place: &Place, group: &Path, missing: &[&str], way: &mut Way) -> Result<()> {
    let others = others(group)?;
    let is_own = place.anchor == group.strip_prefix(&place.mount).unwrap_or(group);
    match others.first() {
        None if is_own && way.stays => evacuate(group)?,
        None if is_own => way.leaf = Some(Leaf::enter(place, group)?),
        _ if way.evacuates => {
            let what = format!("evacuate {}", show(group));
            systemd::refusal(what, group).map_or(Ok(()), Err)?;
            evacuate(group)?;
        }
        other => {
            let what = format!("enable {} in {}", list(missing), show(group));
            let who = other.map_or("this process".to_owned(), |pid| format!("process {pid}"));
            let error = Error::new(what, format_args!("{who} is in it; {RULE}"));
            return Err(error.hint(advice::company()));
        }
    }
    Ok(())
}

/// The processes of a group but for this one.
fn others(group: &Path) -> Result<Vec<String>> {
    let procs =
        file::read_path(group.join("cgroup.procs")).cannot_with(|| format!("read {}", show(group)))?;
    let this = std::process::id().to_string();
    Ok(procs.lines().filter(|pid| *pid != this).map(str::to_owned).collect())
}

/// A threaded group shares its processes with the group above, cgroup-v2.rst, "Threads".
fn check_domain(group: &Path) -> Result<()> {
    let kind = file::read_path(group.join("cgroup.type")).unwrap_or_default();
    if matches!(kind.trim(), "" | "domain") {
        return Ok(());
    }
    let why =
        format!("it is a {} group, whose processes may be spread over the groups below it", kind.trim());
    Err(Error::new(format_args!("limit groups below {}", show(group)), why)
        .hint("make the group elsewhere: --parent names the group to make it in"))
}

/// Takes back what a killed cgctl has enabled in the group that it left for a leaf: with no group below it and no
/// controller enabled, processes may enter it again.
pub fn reopen(own: &Path) {
    let Ok(group) = file::directory(own) else { return };
    if !tree::groups(&group).is_empty() {
        return;
    }
    let enabled = file::read(&group, "cgroup.subtree_control").unwrap_or_default();
    let line = enabled.split_whitespace().map(|name| format!("-{name}")).collect::<Vec<_>>().join(" ");
    let _ = file::write(&group, "cgroup.subtree_control", &line);
}

/// The groups from the top to the directory of groups itself.
fn from_the_top(place: &Place) -> Vec<PathBuf> {
    let relative = place.relative();
    let mut groups: Vec<PathBuf> = relative.ancestors().map(Path::to_owned).collect();
    groups.reverse();
    groups
}

fn missing<'a>(group: &Path, controllers: &'a [String]) -> Result<Vec<&'a str>> {
    let file = group.join("cgroup.subtree_control");
    let enabled = file::read_path(&file).cannot_with(|| format!("read {}", show(&file)))?;
    let is_enabled = |name: &String| enabled.split_whitespace().any(|other| other == name);
    Ok(controllers.iter().filter(|name| !is_enabled(name)).map(String::as_str).collect())
}

/// The top is everybody's, our directories are ours, and our own group is there for us; what stands between
/// belongs to whoever made it.
fn check_ours(place: &Place, relative: &Path, missing: &[&str]) -> Result<()> {
    let is_ours = relative.iter().any(crate::hierarchy::is_ours);
    if is_ours || relative == Path::new("") {
        return Ok(());
    }
    let group = place.mount.join(relative);
    if place.is_given || relative == place.anchor {
        let what = || format!("enable {} in {}", list(missing), show(&group));
        return systemd::refusal(what(), &group).map_or(Ok(()), Err);
    }
    let group = show(group);
    Err(Error::new(format_args!("use {}", list(missing)), format_args!("{group} does not hand it down"))
        .hint(advice::controllers()))
}

/// With processes in it, a group other than the root refuses most controllers, and with some it would turn into
/// a threaded one, whose children take no process at all: so it is not even tried.
fn has_no_processes(group: &Path) -> bool {
    let is_root = !group.join("cgroup.type").exists();
    is_root || file::read_path(group.join("cgroup.procs")).is_ok_and(|processes| processes.is_empty())
}

fn change(group: &Path, line: &str) -> Result<(), Errno> {
    file::write(file::directory(group)?, "cgroup.subtree_control", line)
}

fn explain(errno: Errno, group: &Path, missing: &[&str]) -> Error {
    let what = format!("enable {} in {}", list(missing), show(group));
    match errno {
        Errno::NOENT => Error::new(what, "the group above does not hand it down").hint(advice::controllers()),
        Errno::BUSY => Error::new(what, format_args!("it has processes; {RULE}")).hint(advice::company()),
        Errno::OPNOTSUPP => Error::new(what, "it is a threaded group, which takes no such controller"),
        errno => file::cannot(what, errno).hint(advice::controllers()),
    }
}

/// The rule that cgroup v2 has and v1 has not.
const RULE: &str = "a group has either processes or limited groups below it";

fn list(controllers: &[&str]) -> String {
    match controllers {
        [one] => format!("the {one} controller"),
        many => format!("the {} controllers", many.join(" and ")),
    }
}

impl Leaf {
    fn enter(place: &Place, own: &Path) -> Result<Self> {
        let this = std::process::id().to_string();
        let cannot = || format!("leave {}", show(own));
        let place = place.named();
        let directory = match claim(&place, &format!("{LEAF}{this}")).cannot_with(cannot)? {
            Claim::Made(directory) => directory,
            Claim::InUse | Claim::There => return Err(Error::new(cannot(), "the group for it is in use")),
        };
        if let Err(e) = file::write(&directory, "cgroup.procs", "0") {
            directory.end()?;
            place.tidy();
            return Err(file::cannot(cannot(), e));
        }
        Ok(Leaf { place, directory, own: own.to_owned(), enabled: Vec::new() })
    }

    /// Goes back to where this process was. With others of our groups still there it cannot, and stays.
    pub fn leave(self) -> Result<()> {
        for (group, line) in self.enabled.iter().rev() {
            let _ = change(group, line);
        }
        if file::directory(&self.own).and_then(|own| file::write(own, "cgroup.procs", "0")).is_err() {
            return Ok(());
        }
        self.directory.end()?;
        self.place.tidy();
        Ok(())
    }
}
