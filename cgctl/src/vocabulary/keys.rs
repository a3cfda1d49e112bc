//! What a row of the [table](crate::vocabulary::table) of keys says, with the file of each version of cgroups, how a
//! value is written there, and how it is read again.

use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use crate::vocabulary::device::{Io, LIMITS};
use crate::vocabulary::table::BFQ;
pub use crate::vocabulary::table::KEYS;
use crate::vocabulary::value::{Unit, Value};

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
    if file == BFQ.name {
        return find(IO_WEIGHT);
    }
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
