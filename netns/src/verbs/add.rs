//! `netns add`: namespaces with names.

use crate::create;
use crate::name::Name;
use crate::names::{self, State};
use crate::refused;
use chain::error::FAILED;
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, OFlags, open, unlink};
use rustix::mount::mount_bind;
use std::path::Path;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The new names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Name>,
}

/// Makes each, past errors, all of which are told.
pub fn run(options: &Options) -> Result<u8> {
    let _lock = names::prepare()?;
    let mut status = 0;
    for e in options.names.iter().filter_map(|name| add(name).err()) {
        e.report();
        status = FAILED;
    }
    Ok(status)
}

/// Makes one, and leaves this process in it.
pub fn add_one(name: &Name) -> Result<()> {
    let _lock = names::prepare()?;
    add(name)
}

/// Makes a namespace and binds it to its name: all of it, or nothing.
fn add(name: &Name) -> Result<()> {
    let file = names::path(name);
    let what = || format!("add {name}");
    match names::look(&file)? {
        State::Absent => {}
        State::Live(_) => return Err(exists(name)),
        State::Stale => unlink(&file).cannot_with(what).map_err(refused::for_names)?,
        State::InTheWay => return Err(refused::in_the_way(what(), &file)),
    }
    create::enter_new()?;
    bind(name, &file)
}

/// Last of all, so that as little time as can be is between the file and what makes it a name.
fn bind(name: &Name, file: &Path) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    match open(file, flags, Mode::empty()) {
        Err(rustix::io::Errno::EXIST) => return Err(exists(name)),
        made => made.cannot_with(|| format!("make {}", show(file))).map_err(refused::for_names)?,
    };
    mount_bind("/proc/self/ns/net", file)
        .inspect_err(|_| {
            let _ = unlink(file);
        })
        .cannot_with(|| format!("bind the new namespace to {}", show(file)))
        .map_err(refused::for_names)
}

fn exists(name: &Name) -> Error {
    Error::new(format_args!("add {name}"), "a network namespace of this name exists")
        .hint(format_args!("`netns del {name}` removes it"))
}
