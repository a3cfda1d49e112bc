//! `cgctl events`: what happens to a group, as it happens.

use crate::cli::Named;
use crate::hierarchy::Hierarchies;
use crate::verbs;
use crate::view::observer::Observer;
use chain::Result;

/// Tell of what happens to a group, as JSON objects on lines of their own, until it is removed
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Of the groups inside it too, each by itself
    #[arg(short, long)]
    recursive: bool,
}

/// Ends with 0 when the group has been removed, or nobody reads any more.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let Named { place, name } = &options.group;
    let mut observer = Observer::find(name, place.parent()?, options.recursive, &all)?;
    loop {
        let (news, goes_on) = observer.news();
        let lines: String = news.iter().map(|event| format!("{event}\n")).collect();
        verbs::print(lines.as_bytes())?;
        if !(goes_on && observer.wait()) {
            return Ok(0);
        }
    }
}
