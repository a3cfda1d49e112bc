//! `cgctl top`: what groups use, again and again.

use crate::cli::Where;
use crate::hierarchy::Hierarchies;
use crate::view::top::{self, Sort, Wish};
use crate::vocabulary::duration;
use chain::Result;
use std::time::Duration;

/// Watch what groups use of what they may use
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    place: Where,

    /// Print tables one after the other instead of using the whole terminal
    #[arg(short, long)]
    batch: bool,

    /// Tell of each group as a JSON object on a line of its own; implies --batch
    #[arg(long)]
    json: bool,

    /// End after this many tables (in batch mode without a terminal: 1)
    #[arg(short, long, value_name = "COUNT")]
    number: Option<u64>,

    /// Look again after this time (default: 2)
    #[arg(short, long, value_name = "DURATION", value_parser = parse_delay)]
    delay: Option<Duration>,

    /// What the groups are sorted by, the largest first
    #[arg(short, long, value_name = "KEY", default_value = "cpu", hide_default_value = true)]
    sort: Sort,

    /// Show each group under the one that it is in
    #[arg(short, long)]
    tree: bool,
}

const DELAY: Duration = Duration::from_secs(2);
const LEAST_DELAY: Duration = Duration::from_millis(50);

/// On a terminal until the user ends it; otherwise as often as asked for, or once.
pub fn run(options: &Options) -> Result<u8> {
    let delay = options.delay.unwrap_or(DELAY);
    let wish = Wish { sort: options.sort, is_tree: options.tree, delay };
    let (parent, all) = (options.place.parent()?, Hierarchies::discover()?);
    let is_batch = options.batch || options.json;
    if !is_batch && top::is_usable() {
        top::show(wish, options.number, &parent, &all)?;
    } else {
        let count = options.number.or((!is_batch).then_some(1));
        top::print(wish, count, options.json, &parent, &all)?;
    }
    Ok(0)
}

fn parse_delay(text: &str) -> Result<Duration, String> {
    match duration::parse(text)? {
        delay if delay < LEAST_DELAY => Err(format!("the least is {}", duration::show(LEAST_DELAY))),
        delay => Ok(delay),
    }
}
