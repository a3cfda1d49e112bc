//! Where groups may be made: those with a name in a directory called `cgctl`, which is ours alone, and the others,
//! called `cgctl.run-PID`, next to it, which saves them the making and removing of that directory.
//!
//! Groups with a longer name, or with a parent that the user gives, stand inside other groups.
//!
//! All but the last stand at the top of the hierarchy, or in the own group of a user to whom that is delegated. A cgctl that
//! runs in a group of another cgctl keeps its groups inside that one: no limit is left behind.

use crate::group::lock;
use crate::group::mark::{self, Announcement, Mark};
use crate::hierarchy::{Hierarchies, Hierarchy, Version, file, is_ours};
use rustix::fs::{Mode, fchmod, mkdirat};
use rustix::io::{Errno, Result};
use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The name of the directory that holds the groups with a name.
pub const DIRECTORY: &str = "cgctl";

/// How the directories of the groups without a name begin.
pub const TRANSIENT: &str = "cgctl.run-";

/// The name is one of a group without a name.
pub fn is_transient(name: &OsStr) -> bool {
    name.as_bytes().starts_with(TRANSIENT.as_bytes())
}

/// Which of the two kinds of group is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In the directory `cgctl`.
    Named,
    /// Next to it.
    Transient,
    /// With a name, in a group that may have others in it.
    Inside,
}

/// Others may pass through it to the group that they are in, but cannot open it: nobody else can lock it.
const MODE: Mode = Mode::from_raw_mode(0o711);

/// A group on the way to another is open to the eyes of all, as mkdir(1) makes it.
const GROUP_MODE: Mode = Mode::from_raw_mode(0o755);

/// The name that processes go to which have to leave their group, see [`evacuate`](crate::group::evacuate).
pub const LEAF: &str = "cgctl.leaf";

/// A directory for groups, there or to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The version of its hierarchy.
    pub version: Version,
    /// Where the hierarchy is mounted.
    pub mount: PathBuf,
    /// The group in which it is: there already, not ours to remove.
    pub anchor: PathBuf,
    /// The kind of groups that it is for.
    pub kind: Kind,
    /// The way from there to the base: the outer group, where that one does without this hierarchy.
    below: PathBuf,
    /// The controllers of the hierarchy.
    controllers: Vec<String>,
    /// The user has named the groups on the way: they may be changed for the sake of the new one.
    pub is_given: bool,
    /// What is made on the way stays with the group.
    pub stays: bool,
}

/// An open directory for groups.
#[derive(Debug)]
pub struct Base {
    /// The directory.
    pub fd: OwnedFd,
    /// Groups on the way to it that were made for its sake, kept from being taken for orphans.
    pub held: Vec<OwnedFd>,
    /// Those of them that are to stay, once the group stays.
    pub made: Vec<OwnedFd>,
}

/// The places in a hierarchy, best first; none when the mount does not show where this process is.
pub fn places(hierarchy: &Hierarchy, all: &Hierarchies, kind: Kind) -> Vec<Place> {
    let Some(own) = &hierarchy.own else { return Vec::new() };
    let nowhere = Path::new("");
    let place = |anchor: &Path, below: &Path| Place {
        version: hierarchy.version,
        mount: hierarchy.mount.clone(),
        anchor: anchor.to_owned(),
        kind,
        below: below.to_owned(),
        controllers: hierarchy.controllers.clone(),
        is_given: false,
        stays: false,
    };
    let in_own = place(without_leaf(own), nowhere);
    if hierarchy.is_nested() {
        return vec![in_own];
    }
    let at_top = place(nowhere, all.outer().unwrap_or(nowhere));
    if at_top == in_own { vec![in_own] } else { vec![at_top, in_own] }
}

/// The group whose processes are in this leaf of it; itself when it is none.
pub fn without_leaf(group: &Path) -> &Path {
    match group.file_name() {
        Some(name) if name == LEAF => group.parent().unwrap_or(group),
        _ => group,
    }
}

/// The place for a group of this kind in the group `base`, relative to the top, which is made where it is missing.
/// A `base` called `cgctl` is a directory of groups like any other.
pub fn given(hierarchy: &Hierarchy, base: &Path, kind: Kind) -> Place {
    let is_ours = kind == Kind::Inside && base.file_name().is_some_and(|name| name == DIRECTORY);
    Place {
        version: hierarchy.version,
        mount: hierarchy.mount.clone(),
        anchor: PathBuf::new(),
        kind: if is_ours { Kind::Named } else { kind },
        below: if is_ours { base.parent().unwrap_or(base).to_owned() } else { base.to_owned() },
        controllers: hierarchy.controllers.clone(),
        is_given: true,
        stays: false,
    }
}

impl Place {
    /// The place in a group that is at `way` from the directory of groups here.
    pub fn inside(&self, way: &Path) -> Self {
        Place { kind: Kind::Inside, below: self.below.join(DIRECTORY).join(way), ..self.clone() }
    }

    /// The same, where groups are made that stay.
    pub fn staying(self) -> Self {
        Place { stays: true, ..self }
    }

    /// The path of the directory below the mount.
    pub fn relative(&self) -> PathBuf {
        self.anchor.iter().chain(self.way()).collect()
    }

    /// Its whole path.
    pub fn path(&self) -> PathBuf {
        self.base().iter().chain(self.holder()).collect()
    }

    /// The whole path of the directory in which the groups without a name are, and the directory of those with one.
    pub fn base(&self) -> PathBuf {
        self.mount.iter().chain(&self.anchor).chain(&self.below).collect()
    }

    /// The place next to it, for groups with a name.
    pub fn named(&self) -> Self {
        Place { kind: Kind::Named, ..self.clone() }
    }

    fn way(&self) -> impl Iterator<Item = &OsStr> {
        self.below.iter().chain(self.holder())
    }

    fn holder(&self) -> Option<&'static OsStr> {
        (self.kind == Kind::Named).then_some(OsStr::new(DIRECTORY))
    }

    /// Opens it, made where it is missing. `NOENT` when somebody removes it meanwhile: then start over.
    pub fn open(&self) -> Result<Base> {
        let fd = file::directory(&self.mount.join(&self.anchor))?;
        let mut base = Base { fd, held: Vec::new(), made: Vec::new() };
        let mut before = self.anchor.file_name();
        for name in self.way() {
            base = self.step(base, before, name)?;
            before = Some(name);
        }
        Ok(base)
    }

    fn step(&self, base: Base, before: Option<&OsStr>, name: &OsStr) -> Result<Base> {
        if name != DIRECTORY {
            return self.step_into_group(base, before.is_some_and(|before| before == DIRECTORY), name);
        }
        let (fd, _) = open_or_make(&base.fd, name, MODE)?;
        self.prepare(&base.fd, &fd)?;
        Ok(Base { fd, ..base })
    }

    fn step_into_group(&self, mut base: Base, is_in_ours: bool, name: &OsStr) -> Result<Base> {
        let is_transient = is_transient(name);
        if is_in_ours && !is_transient {
            lock::share(&base.fd)?;
        }
        let is_to_be_marked = !is_in_ours && !is_transient;
        let announcement = is_to_be_marked.then(|| Announcement::make(&base.fd, name)).flatten();
        let (fd, is_new) = open_or_make(&base.fd, name, GROUP_MODE)?;
        // Whoever looks for orphans may have met it before it was locked.
        let is_held = if is_transient { lock::share(&fd).is_ok() } else { lock::take_part(&fd) };
        if is_transient && !lock::is_at(&fd, &base.fd, name) {
            return Err(Errno::NOENT);
        }
        if is_new && is_to_be_marked {
            mark::set(&fd, Mark::Goes)?;
        }
        drop(announcement);
        self.prepare(&base.fd, &fd)?;
        if is_held {
            let mark = if self.stays && !is_transient { mark::get(&fd) } else { Some(Mark::Stays) };
            if mark == Some(Mark::Goes) || mark.is_none() && is_in_ours {
                base.made.push(rustix::io::fcntl_dupfd_cloexec(&fd, 0)?);
            }
            base.held.push(rustix::io::fcntl_dupfd_cloexec(&fd, 0)?);
        }
        Ok(Base { fd, ..base })
    }

    /// A v1 cpuset takes no process before it has processors and memory nodes; it starts with its parent's.
    pub fn prepare(&self, parent: impl AsFd, group: impl AsFd) -> Result<()> {
        if self.version == Version::V2 || !self.controllers.iter().any(|name| name == "cpuset") {
            return Ok(());
        }
        for name in ["cpuset.cpus", "cpuset.mems"] {
            if file::read(&group, name)?.trim().is_empty() {
                file::write(&group, name, file::read(&parent, name)?.trim())?;
            }
        }
        Ok(())
    }

    /// Removes the directory, and those on the way to it, as far as nobody has anything in them.
    pub fn tidy(&self) {
        tidy(&self.mount.join(&self.anchor), &self.way().collect::<PathBuf>());
    }
}

/// Removes `top/below` and what is above it, but not `top`, as far as it is empty and ours to remove.
pub fn tidy(top: &Path, below: &Path) {
    let ancestors = below.ancestors().filter(|path| *path != Path::new(""));
    let _ = ancestors.map(|path| top.join(path)).try_for_each(|path| match goes(&path) {
        true => std::fs::remove_dir(path),
        false => Err(Errno::BUSY.into()),
    });
}

/// The same rule as for an orphan, see [`mark`]: a group of others has no mark, and its limits are theirs.
fn goes(path: &Path) -> bool {
    let is_in_ours = path.parent().and_then(Path::file_name).is_some_and(|around| around == DIRECTORY);
    path.file_name().is_some_and(is_ours)
        || match file::directory(path).map(mark::get) {
            Ok(Some(mark)) => mark != Mark::Stays,
            Ok(None) => is_in_ours,
            Err(_) => false,
        }
}

/// Whether it was made is told with it.
fn open_or_make(parent: &OwnedFd, name: &OsStr, mode: Mode) -> Result<(OwnedFd, bool)> {
    match file::directory_in(parent, name) {
        Err(Errno::NOENT) => {}
        other => return other.map(|fd| (fd, false)),
    }
    let made = mkdirat(parent, name, mode);
    if made != Err(Errno::EXIST) {
        made?;
    }
    let fd = file::directory_in(parent, name)?;
    if made.is_ok() {
        fchmod(&fd, mode)?;
    }
    Ok((fd, made.is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(mount: &str, own: &str) -> Hierarchy {
        Hierarchy::new(Version::V2, mount.into(), Vec::new(), Some(own.into()))
    }

    fn paths(all: Vec<Hierarchy>, kind: Kind) -> Vec<Vec<String>> {
        let all = Hierarchies(all);
        let text = |place: &Place| place.path().to_string_lossy().into_owned();
        all.0.iter().map(|one| places(one, &all, kind).iter().map(text).collect()).collect()
    }

    #[test]
    fn the_top_comes_before_the_own_group() {
        let all = || vec![hierarchy("/u", "a/b"), hierarchy("/v", "")];
        assert_eq!(paths(all(), Kind::Named), [vec!["/u/cgctl", "/u/a/b/cgctl"], vec!["/v/cgctl"]]);
        assert_eq!(paths(all(), Kind::Transient), [vec!["/u", "/u/a/b"], vec!["/v"]]);
    }

    #[test]
    fn a_nested_call_stays_inside_in_every_hierarchy() {
        for outer in ["cgctl/web", "cgctl.run-1", "cgctl.run-1/cgctl/web"] {
            let all = || vec![hierarchy("/u", outer), hierarchy("/v", "")];
            let found = paths(all(), Kind::Named);
            assert_eq!(found[0], [format!("/u/{outer}/cgctl")]);
            assert_eq!(found[1], [format!("/v/{outer}/cgctl"), "/v/cgctl".to_owned()]);
            let found = paths(all(), Kind::Transient);
            assert_eq!(found, [vec![format!("/u/{outer}")], vec![format!("/v/{outer}"), "/v".to_owned()]]);
        }
    }
}
