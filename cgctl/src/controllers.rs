//! cgroup v2: a controller works in a group when every group above has it in `cgroup.subtree_control`
//! (admin-guide/cgroup-v2.rst, "Top-down Constraint" and "No Internal Process Constraint").

use crate::advice;
use crate::directory::{self, Claim, Directory};
use crate::file;
use crate::hierarchy::Version;
use crate::place::Place;
use crate::tree;
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

/// Enables `controllers` for the groups in `place`, from the top down, only where they are missing.
///
/// Sets `leaf` to where this process had to move, if it was alone in the group where they were missing.
pub fn enable(place: &Place, controllers: &[String], leaf: &mut Option<Leaf>) -> Result<()> {
    if controllers.is_empty() || place.version == Version::V1 {
        return Ok(());
    }
    for relative in from_the_top(place) {
        let group = place.mount.join(&relative);
        let missing = missing(&group, controllers)?;
        if missing.is_empty() {
            continue;
        }
        check_ours(place, &relative, &missing)?;
        if leaf.is_none() && !has_no_processes(&group) {
            *leaf = Some(Leaf::enter(place, &group)?);
        }
        let line = missing.iter().map(|name| format!("+{name}")).collect::<Vec<_>>().join(" ");
        change(&group, &line).map_err(|e| explain(e, &group, &missing))?;
        if let Some(leaf) = leaf {
            leaf.enabled.push((group, line.replace('+', "-")));
        }
    }
    Ok(())
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
    if is_ours || relative == Path::new("") || relative == place.anchor {
        return Ok(());
    }
    let group = show(place.mount.join(relative));
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
        Errno::OPNOTSUPP => Error::new(what, "it is a threaded group"),
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
        let procs =
            file::read_path(own.join("cgroup.procs")).cannot_with(|| format!("read {}", show(own)))?;
        let this = std::process::id().to_string();
        if let Some(other) = procs.lines().find(|pid| *pid != this) {
            let what = format!("limit groups below {}", show(own));
            return Err(Error::new(what, format_args!("process {other} is there too; {RULE}"))
                .hint(advice::company()));
        }
        let cannot = || format!("leave {}", show(own));
        let place = place.named();
        let directory = match directory::claim(&place, &format!("{LEAF}{this}")).cannot_with(cannot)? {
            Claim::Made(directory) => directory,
            Claim::InUse => return Err(Error::new(cannot(), "the group for it is in use")),
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
