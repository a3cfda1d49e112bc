//! `netns identify`: the names of the namespace that a process is in.

use crate::names;
use crate::output::print;
use chain::ns::{self, Kind};
use chain::text::escape;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object per line: name
    #[arg(long)]
    json: bool,
    /// The process; this one where none is given
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pid: Option<u32>,
}

/// Prints all names of the namespace; the status is 1 when it has none.
pub fn run(options: &Options) -> Result<u8> {
    let process = options.pid.map_or("self".to_owned(), |pid| pid.to_string());
    let (_, inode) = identity(&process)?;
    let names: Vec<String> =
        names::live()?.into_iter().filter(|(_, other)| *other == inode).map(|(name, _)| name).collect();
    print(names.iter().map(|name| match options.json {
        true => serde_json::json!({ "name": name }).to_string(),
        false => escape(name),
    }))?;
    Ok(u8::from(names.is_empty()))
}

fn identity(process: &str) -> Result<ns::Identity> {
    let what = || format!("identify the network namespace of {process}");
    ns::identity(process, Kind::Net.row().file).cannot_with(what).map_err(|e| match e.errno() {
        Some(Errno::ENOENT) => Error::new(what(), "there is no such process"),
        _ => e.hint_if(Errno::EACCES, "the process is another user's: run it as root"),
    })
}
