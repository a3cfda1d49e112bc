//! Where names of groups begin: `--parent`, `CGCTL_PARENT`, or the directories called `cgctl`.

use crate::group::controllers::is_leaf;
use crate::hierarchy::place::{self, DIRECTORY, Kind, LEAF, Place, TRANSIENT};
use crate::hierarchy::{Hierarchies, Hierarchy};
use chain::text::{is_name, show};
use chain::{Error, Result};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// The variable that stands for `--parent`.
const VARIABLE: &str = "CGCTL_PARENT";

/// Where names begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// In the directories called `cgctl`, where [`place`] puts them.
    Usual,
    /// In this group, relative to the top of each hierarchy.
    Given(PathBuf),
}

impl Parent {
    /// Reads the option, or else the variable; an empty one counts as none.
    pub fn read(option: Option<&OsStr>) -> Result<Self> {
        let variable = || std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        match option.map(OsString::from).or_else(variable) {
            Some(path) if path.is_empty() => {
                Err(Error::new("use '' for --parent", "it names no group; / is the top"))
            }
            None => Ok(Parent::Usual),
            Some(path) => below_top(&path).map(Parent::Given),
        }
    }

    /// Where a new group may be made, best first. Without a name it is of the kind that has none.
    pub fn places(&self, name: Option<&Name>, hierarchy: &Hierarchy, all: &Hierarchies) -> Vec<Place> {
        match (self, name) {
            (_, Some(Name { way, from_top: true, .. })) => vec![place::given(hierarchy, way, Kind::Inside)],
            (Parent::Given(parent), None) => vec![place::given(hierarchy, parent, Kind::Transient)],
            (Parent::Given(parent), Some(name)) => {
                vec![place::given(hierarchy, &parent.join(&name.way), Kind::Inside)]
            }
            (Parent::Usual, None) => place::places(hierarchy, all, Kind::Transient),
            (Parent::Usual, Some(name)) => {
                let places = place::places(hierarchy, all, Kind::Named);
                if name.way == Path::new("") {
                    return places;
                }
                places.iter().map(|place| place.inside(&name.way)).collect()
            }
        }
    }

    /// Where the group `name` may be, the likeliest first. A name that begins with / is a path from the top.
    pub fn ways(&self, name: &OsStr) -> Result<Vec<Way>> {
        if name.as_bytes().starts_with(b"/") {
            return Ok(vec![Way::From(below_top(name)?)]);
        }
        let name = relative(name)?;
        let called = transient(&name);
        Ok(match self {
            Parent::Given(parent) => {
                std::iter::once(name).chain(called).map(|name| Way::From(parent.join(name))).collect()
            }
            Parent::Usual => {
                let forms =
                    std::iter::once((Kind::Named, name)).chain(called.map(|name| (Kind::Transient, name)));
                forms.flat_map(|(kind, name)| [Way::Own(kind, name.clone()), Way::Top(kind, name)]).collect()
            }
        })
    }
}

/// The name of a new group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// It begins at the top.
    pub from_top: bool,
    /// All but its last part.
    pub way: PathBuf,
    /// Its last part.
    pub last: String,
}

impl Name {
    /// Reads a name: parts with / between them, each safe as a file name, in a shell and in a message. Of a path
    /// from the top only the last part has to be: the others are other people's.
    pub fn read(text: &OsStr) -> Result<Self> {
        let from_top = text.as_bytes().starts_with(b"/");
        let path = Path::new(text).strip_prefix("/").unwrap_or(Path::new(text));
        let parts: Vec<&OsStr> = path.iter().collect();
        let spelled = path.as_os_str() == parts.join(OsStr::new("/")).as_os_str();
        let refused = |why| Err(Error::new(format_args!("name the group {}", show(text)), why));
        let Some((last, way)) = parts.split_last().filter(|_| spelled) else { return refused(NAMES) };
        let is_fine = |part: &&OsStr| is_name(part) || from_top && *part != "..";
        if !is_name(last) || !way.iter().all(is_fine) {
            return refused(NAMES);
        }
        let ours = if from_top { std::slice::from_ref(last) } else { &parts[..] };
        match ours.iter().find_map(|part| reserved(part)) {
            Some(why) => refused(why),
            None => {
                Ok(Name { from_top, way: way.iter().collect(), last: last.to_string_lossy().into_owned() })
            }
        }
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = if self.from_top { "/" } else { "" };
        write!(f, "{start}{}", show(self.way.join(&self.last)))
    }
}

const NAMES: &str = "a name is a letter or digit, then letters, digits, '_', '.' and '-'; / stands between a group and one inside it";

fn reserved(part: &OsStr) -> Option<&'static str> {
    match part {
        part if part == DIRECTORY => Some("that is the directory of all groups"),
        part if part == LEAF => {
            Some("processes that had to leave their group are in groups called like that")
        }
        part if place::is_transient(part) => Some("groups without a name are called like that"),
        part if is_leaf(part) => Some("groups that cgctl itself is in are called like that"),
        part if part.len() > 200 => Some("it is longer than 200 characters"),
        _ => None,
    }
}

/// One way to a group, which may lead to its directory in several hierarchies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// From the top of the hierarchy.
    From(PathBuf),
    /// From where a user makes groups who may not make any at the top, or inside the group of an enclosing cgctl.
    Own(Kind, PathBuf),
    /// From where everybody else makes them.
    Top(Kind, PathBuf),
}

impl Way {
    /// Where it leads in one hierarchy, relative to its mount; `None` when that cannot be said there.
    pub fn path(&self, hierarchy: &Hierarchy, all: &Hierarchies) -> Option<PathBuf> {
        match self {
            Way::From(path) => Some(path.clone()),
            Way::Own(kind, name) => {
                let places = place::places(hierarchy, all, *kind);
                let is_nested = all.outer().is_some();
                let own = if is_nested { places.first() } else { places.last() };
                own.map(|place| place.relative().join(name))
            }
            // What is outside of the group of an enclosing cgctl has the same names, and is not meant.
            Way::Top(..) if all.outer().is_some() => None,
            Way::Top(kind, name) => {
                place::places(hierarchy, all, *kind).first().map(|place| place.relative().join(name))
            }
        }
    }
}

/// What a group without a name is called beside the directory of groups; messages say `run-PID`.
fn transient(name: &Path) -> Option<PathBuf> {
    let text = name.to_str()?;
    match () {
        () if text.starts_with(TRANSIENT) => Some(name.to_owned()),
        () if text.starts_with("run-") => Some(format!("{DIRECTORY}.{text}").into()),
        () => None,
    }
}

/// A path from the top, without the slash that it may begin with.
pub fn below_top(path: &OsStr) -> Result<PathBuf> {
    let path = Path::new(path);
    plain(path, path.strip_prefix("/").unwrap_or(path))
}

fn relative(name: &OsStr) -> Result<PathBuf> {
    if name.is_empty() {
        return Err(refused(Path::new(name), "the name is empty"));
    }
    match plain(Path::new(name), Path::new(name))? {
        path if path.as_os_str().is_empty() => Err(refused(Path::new(name), "that names no group")),
        path => Ok(path),
    }
}

/// Without `..`, which would lead out of the hierarchy.
fn plain(whole: &Path, path: &Path) -> Result<PathBuf> {
    match path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        true => Ok(path.components().filter(|part| *part != Component::CurDir).collect()),
        false => Err(refused(whole, "a path of groups has no ..")),
    }
}

fn refused(path: &Path, why: &str) -> Error {
    Error::new(format_args!("find group {}", show(path)), why)
}
