//! `cgctl wait`: until a group is empty.

use crate::cli::Where;
use crate::existing::Group;
use crate::hierarchy::Hierarchies;
use crate::view::watch;
use crate::vocabulary::size::Decimal;
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsString;
use std::time::{Duration, Instant};

/// Wait until a group and those inside it have no process left
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Wait no longer than this, and exit with status 1 then
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<OsString>,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    name: OsString,
}

/// 0 when it is empty or has gone, 1 when there was not enough time.
pub fn run(options: &Options) -> Result<u8> {
    let limit = options.timeout.as_ref().map(seconds).transpose()?;
    // So far ahead that no clock knows it: the same as no limit.
    let end = limit.and_then(|limit| Instant::now().checked_add(limit));
    let all = Hierarchies::discover()?;
    let group = Group::find(&options.name, &options.place.parent()?, &all)?;
    group.check_without_us("wait for")?;
    Ok(u8::from(!watch::until_empty(&group, end)))
}

/// A number of seconds, as in `1.5`.
pub fn seconds(text: &OsString) -> Result<Duration> {
    let refused = |why: &str| Error::new(format_args!("wait {} seconds", show(text)), why);
    let plain = text.to_str().unwrap_or_default();
    match Decimal::read(plain) {
        Ok((number, "")) => {
            number.times(1_000_000, 1).map(Duration::from_micros).map_err(|why| refused(&why))
        }
        _ => Err(refused("it is no number").hint("as in 10 or 0.5")),
    }
}
