//! `cgctl delegate`: a user gets a group to make others in.

use crate::cli::Named;
use crate::existing::extend::Extension;
use crate::existing::{Group, delegate};
use crate::group::Directories;
use crate::group::controllers::{self, Way};
use crate::hierarchy::place::{self, Kind};
use crate::hierarchy::usable::WANTED;
use crate::hierarchy::{Hierarchies, Hierarchy, Version};
use chain::error::say;
use chain::{Error, Result};
use std::path::Path;

/// Give a group to a user, who may then make groups in it; to root, to take it back
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// The user by name or number; the group of users too, after a colon
    #[arg(value_name = "USER[:GROUP]")]
    user: String,
}

/// Gives the group away, with every controller that can be had for it.
pub fn run(options: &Options) -> Result<u8> {
    let owner = delegate::owner(&options.user)?;
    if !rustix::process::geteuid().is_root() {
        return Err(Error::new("give a group away", "only root can").hint("run as root"));
    }
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    if group.parts.iter().any(|part| part.relative == Path::new("")) {
        return Err(Error::new(
            "give the top of a hierarchy away",
            "it is the whole machine, or the whole container",
        ));
    }
    offer_controllers(&group, &all);
    extend(&group, &all)?;
    // With the directories that it has got meanwhile.
    let group = options.group.find(&all)?;
    delegate::give(&group, owner)?;
    Ok(0)
}

/// A group that stays gets a directory in each v1 hierarchy that limits something, for what the user may limit later.
fn extend(group: &Group, all: &Hierarchies) -> Result<()> {
    let is_wanted = |hierarchy: &Hierarchy| {
        let mut names = WANTED.iter().flat_map(|(v2, v1)| [*v2, *v1]);
        hierarchy.version == Version::V1 && names.any(|name| hierarchy.has(name))
    };
    if !group.stays() {
        return Ok(());
    }
    for (index, _) in all.0.iter().enumerate().filter(|(_, hierarchy)| is_wanted(hierarchy)) {
        if group.directory(index).is_none() {
            let extension = Extension::make(group, index, all)?;
            extension.fill(group)?;
            extension.keep();
        }
    }
    Ok(())
}

/// What the user can hand on is what the group has; so it gets all that the groups above can spare.
fn offer_controllers(group: &Group, all: &Hierarchies) {
    for part in group.parts.iter().filter(|part| part.directory.version == Version::V2) {
        let hierarchy = &all.0[part.hierarchy];
        let place = place::given(hierarchy, part.relative.parent().unwrap_or(Path::new("")), Kind::Inside);
        for controller in &hierarchy.controllers {
            let mut way = Way { evacuates: false, stays: true, leaf: None };
            if let Err(error) = controllers::enable(&place, std::slice::from_ref(controller), &mut way) {
                say(&format!("{}: without {controller}: {error}", group.name));
            }
        }
    }
}
