//! What the files of a group say, in the vocabulary.

use crate::existing::Group;
use crate::group::{Directories, Directory};
use crate::hierarchy::{Hierarchies, Version, file};
use crate::vocabulary::keys::{KEYS, Key, Named};
use crate::vocabulary::value::Value;
use chain::text::show;
use chain::{Error, Result};
use rustix::fs::Dir;
use rustix::io::Errno;

/// The values of a key: several, or none, where it has a line for each device. An error when the group has no file
/// for it.
pub fn values(group: &Group, named: &Named, all: &Hierarchies) -> Result<Vec<Value>> {
    let what = || format!("get {named} of {}", group.name);
    let key = named.key();
    let (hierarchy, file) = key.place(all).map_err(|why| Error::new(what(), why.text(all)))?;
    let directory = directory(group, hierarchy, all).map_err(|why| why.error(what(), group, named))?;
    let first = key.files(file, &named.size).next().unwrap_or_default();
    match file::open(directory, &first) {
        Ok(_) => Ok(in_directory(key, file, named, directory)),
        Err(errno) => Err(no_file(what(), errno, directory, &first, group, named)),
    }
}

/// The values of every key for which the group has a file, in the order of the table.
pub fn all_values(group: &Group, all: &Hierarchies) -> Vec<(Named, Vec<Value>)> {
    let mut found = Vec::new();
    for key in &KEYS {
        let Ok((hierarchy, file)) = key.place(all) else { continue };
        let Some(directory) = group.directory(hierarchy) else { continue };
        let sizes = if key.has_size() { sizes(directory, file) } else { vec![String::new()] };
        for size in sizes {
            let named = Named { row: key.name, size };
            let values = in_directory(key, file, &named, directory);
            if !values.is_empty() {
                found.push((named, values));
            }
        }
    }
    found
}

fn in_directory(
    key: &Key,
    file: &crate::vocabulary::keys::File,
    named: &Named,
    directory: &Directory,
) -> Vec<Value> {
    key.read(file, &named.size, &|name| file::read(directory, name).ok())
}

/// The sizes of huge pages for which there are files.
fn sizes(directory: &Directory, file: &crate::vocabulary::keys::File) -> Vec<String> {
    let Ok(entries) = Dir::read_from(directory) else { return Vec::new() };
    let size = |entry: rustix::fs::DirEntry| file.size_in(entry.file_name().to_str().ok()?);
    let mut sizes: Vec<String> = entries.filter_map(|entry| size(entry.ok()?)).collect();
    sizes.sort();
    sizes
}

/// The text of a file of the kernel, by its own name.
pub fn raw(group: &Group, name: &str, all: &Hierarchies) -> Result<String> {
    let what = || format!("get {} of {}", show(name), group.name);
    let (controller, _) = name.split_once('.').unwrap_or((name, ""));
    let here = if controller == "cgroup" { None } else { all.of(controller) };
    let candidates = here.and_then(|index| group.directory(index)).into_iter().chain(
        // Those that every group of v2 has, such as cpu.stat, and those of every group at all.
        group.parts.iter().map(|part| &part.directory),
    );
    let mut refusal = Errno::NOENT;
    for directory in candidates {
        match file::read(directory, name) {
            Ok(text) => return Ok(text),
            Err(Errno::NOENT) => {}
            Err(errno) => refusal = errno,
        }
    }
    Err(match refusal {
        Errno::NOENT => Error::new(what(), "the group has no such file"),
        Errno::ACCESS | Errno::INVAL => Error::new(what(), "that file cannot be read"),
        errno => file::cannot(what(), errno),
    })
}

/// The group has no directory in a hierarchy.
struct Nowhere(String);

fn directory<'a>(group: &'a Group, hierarchy: usize, all: &Hierarchies) -> Result<&'a Directory, Nowhere> {
    group.directory(hierarchy).ok_or_else(|| Nowhere(show(&all.0[hierarchy].mount)))
}

impl Nowhere {
    fn error(&self, what: String, group: &Group, named: &Named) -> Error {
        Error::new(what, format_args!("it has no directory in {}, so nothing limits it there", self.0))
            .hint(format_args!("cgctl set {} {named}=VALUE makes one", group.name))
    }
}

fn no_file(
    what: String,
    errno: Errno,
    directory: &Directory,
    file: &str,
    group: &Group,
    named: &Named,
) -> Error {
    let (controller, _) = file.split_once('.').unwrap_or((file, ""));
    let offered = file::read(directory, "cgroup.controllers").unwrap_or_default();
    let is_off = directory.version == Version::V2
        && controller != "cgroup"
        && !offered.split_whitespace().any(|name| name == controller);
    match errno {
        Errno::NOENT if is_off => Error::new(
            what,
            format_args!("the {controller} controller is not enabled for it, so nothing limits it"),
        )
        .hint(format_args!("cgctl set {} {named}=VALUE enables it", group.name)),
        Errno::NOENT => Error::new(what, format_args!("it has no file {file}")),
        errno => file::cannot(what, errno),
    }
}
