//! The directories that one group has in several hierarchies, as one thing.

use crate::command::counters::COUNTING;
use crate::command::request::Request;
use crate::group::claim::{Claim, claim};
use crate::group::mark::Mark;
use crate::group::{Directories, Directory, controllers, gc};
use crate::hierarchy::place::{self, DIRECTORY, Place};
use crate::hierarchy::{Hierarchies, Hierarchy, Version, file, from_ours_on, systemd};
use crate::plan::{Plan, Use, Write, advice, refusal};
use chain::text::show;
use chain::{Error, Result};
use rustix::io::Errno as Os;
use std::path::{Path, PathBuf};

/// A group that this process has made, and removes.
#[derive(Debug)]
pub struct Group {
    /// Its name, given or not.
    pub name: String,
    /// What its directories are called.
    called: String,
    /// The first tracks the group: made first, removed last.
    pub parts: Vec<Part>,
    way: controllers::Way,
    /// The hierarchies in which it has no directory, by version and mount.
    elsewhere: Vec<(Version, PathBuf)>,
}

/// What a group has in one hierarchy.
#[derive(Debug)]
pub struct Part {
    /// The hierarchy's place in [`Hierarchies`].
    pub hierarchy: usize,
    /// Where the directory is.
    pub place: Place,
    /// The directory.
    pub directory: Directory,
}

/// Names to try for a group that has none: a leftover or another pid namespace may have the first.
const NAMES: u32 = 100;

impl Group {
    /// Makes the group with its limits; what was half made is undone before an error is told.
    pub fn make(plan: &Plan, request: &Request, hierarchies: &Hierarchies) -> Result<Self> {
        let Some(name) = &request.name else { return Group::make_transient(plan, request, hierarchies) };
        let (shown, called) = (name.to_string(), name.last.clone());
        Group::try_make(plan, shown, called, request, hierarchies)?
            .ok_or_else(|| Error::new(format_args!("make group {name}"), "it is in use by another cgctl"))
    }

    /// No group, under the name that one would have: nothing is made, limited, counted or killed.
    pub fn none(request: &Request) -> Self {
        let unnamed = || format!("run-{}", std::process::id());
        let name = request.name.as_ref().map_or_else(unnamed, ToString::to_string);
        let way = controllers::Way { evacuates: false, stays: false, leaf: None };
        Group { called: name.clone(), name, parts: Vec::new(), way, elsewhere: Vec::new() }
    }

    fn make_transient(plan: &Plan, request: &Request, hierarchies: &Hierarchies) -> Result<Self> {
        let pid = std::process::id();
        let later = (2..NAMES).map(|number| format!("run-{pid}-{number}"));
        for name in std::iter::once(format!("run-{pid}")).chain(later) {
            let called = format!("{DIRECTORY}.{name}");
            if let Some(group) = Group::try_make(plan, name, called, request, hierarchies)? {
                return Ok(group);
            }
        }
        Err(Error::new(format_args!("make group run-{pid}"), "this name and the next are in use"))
    }

    /// `None` when the name is in use.
    fn try_make(
        plan: &Plan,
        name: String,
        called: String,
        request: &Request,
        hierarchies: &Hierarchies,
    ) -> Result<Option<Self>> {
        let way = controllers::Way { evacuates: request.evacuates, stays: request.stays(), leaf: None };
        let mut group = Group { name, called, parts: Vec::new(), way, elsewhere: Vec::new() };
        let made = group.add_parts(&plan.uses, request, hierarchies).and_then(|all| match all {
            true => group.set(&plan.writes).map(|()| true),
            false => Ok(false),
        });
        match made {
            Ok(true) => Ok(Some(group)),
            other => {
                group.remove();
                other.map(|_| None)
            }
        }
    }

    /// Leaves the group for good: it stays without an owner, as `mark` says. On an error it is removed.
    pub fn keep(self, mark: Mark) -> Result<()> {
        match self.mark(mark) {
            Ok(()) => Ok(()),
            Err(e) => {
                self.remove();
                Err(e)
            }
        }
    }

    pub(super) fn mark(&self, mark: Mark) -> Result<()> {
        // A group that is gone in one hierarchy and stays in another would be no group.
        // The one that tracks it comes last: until then, gc takes the others for its orphans.
        let marked = self.parts.iter().rev().try_for_each(|part| part.directory.keep(mark));
        marked.map_err(|errno| {
            let error = file::cannot(format_args!("keep group {}", self.name), errno);
            match errno {
                Os::OPNOTSUPP => {
                    error.hint("that needs Linux 5.7 or later, which lets gc tell it from an orphan")
                }
                _ => error,
            }
        })
    }

    fn add_parts(&mut self, uses: &[Use], request: &Request, hierarchies: &Hierarchies) -> Result<bool> {
        for used in uses {
            let Some(part) = self.claim(used.hierarchy, request, hierarchies)? else { return Ok(false) };
            self.parts.push(part);
            if let Some(Part { place, .. }) = self.parts.last() {
                controllers::enable(place, &used.controllers, &mut self.way)?;
            }
        }
        let others = hierarchies.0.iter().enumerate();
        let others = others.filter(|(index, _)| !uses.iter().any(|used| used.hierarchy == *index));
        self.elsewhere = others.map(|(_, other)| (other.version, other.mount.clone())).collect();
        Ok(true)
    }

    /// Takes the first place where this user may make a group; `None` when its name is in use there.
    fn claim(&self, hierarchy: usize, request: &Request, hierarchies: &Hierarchies) -> Result<Option<Part>> {
        let mut refusal = unseen(&hierarchies.0[hierarchy]);
        for place in request.places(&hierarchies.0[hierarchy], hierarchies) {
            check_owner(&place)?;
            if self.parts.is_empty() {
                gc::sweep(&place, hierarchies);
            }
            let errno = match claim(&place, &self.called) {
                Ok(Claim::InUse) => return Ok(None),
                Ok(Claim::There) => return Err(there(&self.name, request)),
                Ok(Claim::Made(directory)) => return Ok(Some(Part { hierarchy, place, directory })),
                Err(errno) => errno,
            };
            place.tidy();
            let what = format!("make a group in {}", show(place.path()));
            refusal = match errno {
                Os::AGAIN => {
                    return Err(Error::new(what, "a group above takes no more").hint(advice::NO_MORE_HERE));
                }
                Os::NOTDIR => return Err(Error::new(what, "a file of the kernel has its name")),
                errno => file::cannot(what, errno),
            };
            refusal = match errno {
                Os::ACCESS | Os::PERM | Os::ROFS => refusal.hint(advice::permission()),
                Os::NOSPC => return Err(refusal.hint(advice::NO_MORE_AT_ALL)),
                _ => return Err(refusal),
            };
        }
        Err(refusal)
    }

    /// Adds directories in which the kernel counts; without those where it may not be done.
    pub fn count(&mut self, request: &Request, hierarchies: &Hierarchies) {
        for controller in COUNTING {
            let Some(index) = hierarchies.of(controller) else { continue };
            let is_counted_by_v2 = controller == "cpuacct" && hierarchies.unified().is_some();
            if self.part(index).is_none() && !is_counted_by_v2 {
                self.parts.extend(self.claim(index, request, hierarchies).ok().flatten());
            }
            if let Some(place) = self.part(index).map(|part| part.place.clone()) {
                let _ = controllers::enable(&place, &[controller.to_owned()], &mut self.way);
            }
        }
    }

    /// Its path from the top of the hierarchy that tracks it, if any does.
    pub fn path(&self) -> Option<PathBuf> {
        let part = self.parts.first()?;
        Some(Path::new("/").join(part.place.relative()).join(&self.called))
    }

    fn part(&self, hierarchy: usize) -> Option<&Part> {
        self.parts.iter().find(|part| part.hierarchy == hierarchy)
    }

    fn set(&self, writes: &[Write]) -> Result<()> {
        for write in writes {
            let Some(part) = self.part(write.hierarchy) else { continue };
            match part.directory.set(&write.file, &write.text) {
                Ok(()) => {}
                Err(Os::NOENT) if write.word.is_none() => {}
                Err(Os::NOENT) if !part.directory.is_there() => {
                    return Err(Error::new(
                        format_args!("set up group {}", self.name),
                        "somebody has removed it",
                    ));
                }
                Err(errno) => return Err(refusal::by_kernel(errno, write)),
            }
        }
        Ok(())
    }

    /// Ends what is left in the group.
    pub fn kill(&self) -> Result<()> {
        self.parts
            .first()
            .filter(|part| part.directory.is_populated())
            .map_or(Ok(()), |part| part.directory.kill())
    }

    /// Removes the group from every hierarchy, going on past what fails, and tells all of that.
    pub fn remove(self) {
        for part in self.parts.iter().rev() {
            report(part.directory.end());
        }
        self.remove_nested();
        if let Some(leaf) = self.way.leaf {
            report(leaf.leave());
        }
        self.parts.iter().rev().for_each(|part| part.place.tidy());
    }

    /// A cgctl that ran in this group has its own groups under the same path where this one has no directory.
    fn remove_nested(&self) {
        let Some(path) = self.parts.first().map(|part| part.place.relative()) else { return };
        let from_ours = from_ours_on(&path);
        let path = if self.parts.first().is_some_and(|part| part.place.is_given) { &path } else { from_ours };
        for (version, mount) in &self.elsewhere {
            if gc::remove_at(*version, &mount.join(path).join(&self.called)) {
                place::tidy(mount, path);
            }
        }
    }
}

impl Directories for Group {
    fn directory(&self, hierarchy: usize) -> Option<&Directory> {
        self.part(hierarchy).map(|part| &part.directory)
    }
}

/// One that stays is not made again: its limits might be others than those asked for.
fn there(name: &str, request: &Request) -> Error {
    let error = Error::new(format_args!("make group {}", show(name)), "it is there already");
    match request.stays() {
        true => error.hint(format_args!("cgctl set {name} KEY=VALUE... changes its limits")),
        false => error.hint(format_args!("cgctl exec {name} -- COMMAND runs a command in it")),
    }
}

/// systemd removes what it finds in its groups and did not make.
fn check_owner(place: &Place) -> Result<()> {
    if !place.is_given {
        return Ok(());
    }
    let path = place.path();
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(&path);
    systemd::refusal(format_args!("make a group in {}", show(&path)), there).map_or(Ok(()), Err)
}

/// Tells an error that is no reason to stop.
pub(super) fn report(result: Result<()>) {
    if let Err(e) = result {
        e.report();
    }
}

fn unseen(hierarchy: &Hierarchy) -> Error {
    let why = format!("{} was mounted for another cgroup namespace or container", show(&hierarchy.mount));
    Error::new("find the control group of this process", why)
        .hint(format_args!("mount it anew: {}", advice::mount(hierarchy)))
}
