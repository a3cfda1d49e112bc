//! `cgctl set`: other limits for a group that is there.

use crate::cli::Named;
use crate::existing::change;
use crate::hierarchy::Hierarchies;
use crate::vocabulary::setting::{Setting, is_setting};
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsString;

/// Change limits of a group: all of them, or none
#[derive(clap::Args, Debug)]
#[command(after_help = "`cgctl keys` lists the keys.")]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Limit memory to less than the group uses: what the kernel cannot take back, it kills for (v2) or refuses (v1)
    #[arg(long)]
    force: bool,

    /// Move processes that are in the way to a group cgctl.leaf inside the one they are in
    #[arg(long)]
    evacuate: bool,

    /// The limits
    #[arg(value_name = "KEY=VALUE", required = true)]
    words: Vec<OsString>,
}

/// Sets them, or puts back what was set when one cannot be.
pub fn run(options: &Options) -> Result<u8> {
    if let Some(word) = options.words.iter().find(|word| !is_setting(word)) {
        return Err(Error::new(format_args!("set {}", show(word)), "it is no KEY=VALUE"));
    }
    let settings = Setting::parse_all(&options.words)?;
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    let rules = change::Rules { force: options.force, evacuates: options.evacuate };
    change::apply(&group, &settings, rules, &all)?;
    Ok(0)
}
