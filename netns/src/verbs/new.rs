//! `netns new`: a command in a namespace that lasts as long as its processes.

use crate::create;
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsString;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(override_usage = "netns new -- COMMAND [ARG]...")]
pub struct Options {
    #[arg(hide = true)]
    before: Option<OsString>,
    /// What to run, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command; returns only to say why not.
pub fn run(options: &Options) -> Result<u8> {
    match (&options.before, options.command.as_slice()) {
        (Some(word), _) => Err(Error::new(format_args!("take {}", show(word)), "the command goes after --")
            .hint(format_args!("as in `netns new -- {}`", show(word)))),
        (None, []) => Err(Error::new("start", "no command is given").hint("as in `netns new -- sh`")),
        (None, command) => {
            create::enter_new()?;
            Err(chain::exec::exec(command))
        }
    }
}
