//! `netns map`: all network namespaces, and what connects them.

mod dot;
pub mod json;
mod text;

use crate::output::print;
use crate::survey::Survey;
use chain::Result;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// A drawing for Graphviz: `netns map --dot | dot -Tsvg`
    #[arg(long)]
    dot: bool,
    /// One JSON object per line and namespace; netns(1) lists the fields
    #[arg(long, conflicts_with = "dot")]
    json: bool,
}

/// Prints the map.
pub fn run(options: &Options) -> Result<u8> {
    let survey = Survey::take()?;
    let lines = match (options.dot, options.json) {
        (true, _) => dot::lines(&survey),
        (_, true) => json::lines(&survey),
        _ => text::lines(&survey),
    };
    print(lines).map(|()| 0)
}
