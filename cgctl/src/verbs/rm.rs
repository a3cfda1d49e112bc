//! `cgctl rm`: groups with a name go.

use crate::cli::Where;
use crate::existing::Group;
use crate::existing::removal::{self, How};
use crate::hierarchy::Hierarchies;
use crate::hierarchy::parent::Parent;
use chain::Result;
use std::ffi::OsString;

/// Remove groups, with those inside them, from every hierarchy
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// End the processes that are in them
    #[arg(short, long)]
    kill: bool,

    /// Be silent about groups that are not there
    #[arg(short, long)]
    force: bool,

    /// The groups: names, or paths from the top that begin with /
    #[arg(value_name = "NAME", required = true)]
    names: Vec<OsString>,
}

/// Goes on past what cannot be removed; 125 when something had to stay.
pub fn run(options: &Options) -> Result<u8> {
    let (parent, all) = (options.place.parent()?, Hierarchies::discover()?);
    // A name that cannot be one is refused before anything is removed.
    options.names.iter().try_for_each(|name| parent.ways(name).map(drop))?;
    let mut status = 0;
    for name in &options.names {
        if let Err(e) = one(name, options, &parent, &all) {
            status = e.report();
        }
    }
    Ok(status)
}

fn one(name: &OsString, options: &Options, parent: &Parent, all: &Hierarchies) -> Result<()> {
    let how = if options.kill { How::Kill } else { How::IfEmpty };
    match Group::look_for(name, parent, all) {
        Ok(None) if options.force => Ok(()),
        Ok(None) => Err(Group::absent(name, all)),
        Ok(Some(group)) => removal::remove(&group, how),
        Err(e) => Err(e),
    }
}
