//! `netns new`: a command in a namespace that lasts as long as its processes.

use crate::create;
use chain::Error;
use chain::text::show;
use std::ffi::{OsStr, OsString};

/// Becomes the command; returns only to say why not.
pub fn run(before: Option<&OsStr>, command: &[OsString]) -> Error {
    match (before, command) {
        (Some(word), _) => Error::new(format_args!("take {}", show(word)), "the command goes after --")
            .hint(format_args!("as in `netns new -- {}`", show(word))),
        (None, []) => Error::new("start", "no command is given").hint("as in `netns new -- sh`"),
        (None, command) => create::enter_new().map_or_else(|e| e, |()| chain::exec::exec(command)),
    }
}
