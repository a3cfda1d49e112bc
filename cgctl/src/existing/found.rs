//! A group that is there already, found by its name.

use crate::group::{Directories, Directory, mark};
use crate::hierarchy::parent::{Parent, Way};
use crate::hierarchy::{Hierarchies, Version, file, place};
use chain::text::show;
use chain::{Error, Result};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::path::PathBuf;

/// A group that somebody has made.
#[derive(Debug)]
pub struct Group {
    /// Its name, as it was given.
    pub name: String,
    /// What it has in each hierarchy, in the order of [`Hierarchies`]; never empty.
    pub parts: Vec<Part>,
}

/// What a group has in one hierarchy.
#[derive(Debug)]
pub struct Part {
    /// The hierarchy's place in [`Hierarchies`].
    pub hierarchy: usize,
    /// Its path from the top of the hierarchy as it is mounted, without the first slash.
    pub relative: PathBuf,
    /// The open directory, which nobody has locked for us.
    pub directory: Directory,
}

impl Group {
    /// Finds the group in every hierarchy that has it: by the first way that leads to it in any.
    pub fn find(name: &OsStr, parent: &Parent, all: &Hierarchies) -> Result<Self> {
        Group::look_for(name, parent, all)?.ok_or_else(|| Group::absent(name, all))
    }

    /// The same; `None` when there is none.
    pub fn look_for(name: &OsStr, parent: &Parent, all: &Hierarchies) -> Result<Option<Self>> {
        let ways = parent.ways(name)?;
        for way in &ways {
            let parts = parts(way, all)?;
            if !parts.is_empty() && !is_shadow(way, &parts, all) {
                return Ok(Some(Group { name: show(name), parts }));
            }
        }
        Ok(None)
    }

    /// Says that there is none.
    pub fn absent(name: &OsStr, all: &Hierarchies) -> Error {
        let error = Error::new(format_args!("find group {}", show(name)), "there is no such group");
        match all.outer() {
            Some(outer) => error.hint(format_args!(
                "this process is inside /{}, and so are the names; a path from the top begins with /",
                outer.display()
            )),
            None => error.hint("`cgctl ls` shows those that are there"),
        }
    }

    /// It was made to stay by `cgctl new`, and nobody owns it.
    pub fn stays(&self) -> bool {
        let is_transient = self.parts[0].relative.file_name().is_some_and(place::is_transient);
        !is_transient && mark::stays(self.tracking())
    }

    /// The directory that tells best of its processes, and was made first: that in the unified tree, else that of the
    /// freezer, else the first.
    pub fn tracking(&self) -> &Directory {
        let unified = self.parts.iter().find(|part| part.directory.version == Version::V2);
        let freezer = || self.parts.iter().find(|part| part.directory.path.join("freezer.state").exists());
        &unified.or_else(freezer).unwrap_or(&self.parts[0]).directory
    }
}

impl Directories for Group {
    fn directory(&self, hierarchy: usize) -> Option<&Directory> {
        self.parts.iter().find(|part| part.hierarchy == hierarchy).map(|part| &part.directory)
    }
}

fn parts(way: &Way, all: &Hierarchies) -> Result<Vec<Part>> {
    let mut found = Vec::new();
    for (index, hierarchy) in all.0.iter().enumerate() {
        let Some(relative) = way.path(hierarchy, all) else { continue };
        let path = hierarchy.mount.join(&relative);
        match Directory::open(hierarchy.version, path) {
            Ok(directory) => found.push(Part { hierarchy: index, relative, directory }),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(errno) => {
                return Err(file::cannot(
                    format_args!("open {}", show(hierarchy.mount.join(relative))),
                    errno,
                ));
            }
        }
    }
    Ok(found)
}

/// Where a user has no group of his own, the way to it is the way from the top: then it is no other group.
fn is_shadow(way: &Way, parts: &[Part], all: &Hierarchies) -> bool {
    let Way::Own(kind, name) = way else { return false };
    if all.outer().is_some() {
        return false;
    }
    let top = Way::Top(*kind, name.clone());
    parts.iter().all(|part| top.path(&all.0[part.hierarchy], all).as_ref() == Some(&part.relative))
}
