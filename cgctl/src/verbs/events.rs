//! `cgctl events`: what happens to a group, as it happens.

use crate::cli::Where;
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::observer::Observer;
use chain::Result;
use std::ffi::OsString;

/// Tell of what happens to a group, as JSON objects on lines of their own, until it is removed
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Of the groups inside it too, each by itself
    #[arg(short, long)]
    recursive: bool,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,
}

/// Ends with 0 when the group has been removed.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let parent = options.place.parent()?;
    let mut observer = Observer::find(&options.name, parent, options.recursive, &all)?;
    loop {
        let (news, goes_on) = observer.news();
        let lines: String = news.iter().map(|event| format!("{event}\n")).collect();
        verbs::print(lines.as_bytes())?;
        if !goes_on {
            return Ok(0);
        }
        observer.wait();
    }
}
