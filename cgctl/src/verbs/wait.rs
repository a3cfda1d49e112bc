//! `cgctl wait`: until a group is empty.

use crate::cli::Named;
use crate::hierarchy::Hierarchies;
use crate::view::watch;
use crate::vocabulary::duration;
use chain::Result;
use std::time::{Duration, Instant};

/// Wait until a group and those inside it have no process left
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Wait no longer than this (30, 1.5m, 2h, 1d, 500ms), and exit with status 1 then
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// 0 when it is empty or has gone, 1 when there was not enough time.
pub fn run(options: &Options) -> Result<u8> {
    // So far ahead that no clock knows it: the same as no limit.
    let end = options.timeout.and_then(|limit| Instant::now().checked_add(limit));
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    group.check_without_us("wait for")?;
    Ok(u8::from(!watch::until_empty(&group, end)))
}
