//! What to run inside, and where it is looked for.

use crate::plan::Plan;
use chain::error::NOT_FOUND;
use chain::exec;
use chain::sys::fd::close_from_3_except;
use chain::{Cannot, Error};
use std::ffi::OsString;

/// Becomes the command; returns only to say why not. All descriptors above standard error are closed before.
pub fn run(plan: Plan) -> Error {
    let (command, other_root) = (plan.command, plan.other_root);
    drop((plan.doors, plan.root, plan.wd));
    if let Err(e) = close_from_3_except(&[]).cannot("close descriptors") {
        return e;
    }
    let no_command = command.is_empty();
    let error = exec::exec(&if no_command { vec![shell_for(other_root)] } else { command });
    match error.exit_status() {
        NOT_FOUND if other_root && no_command => {
            error.hint("the root directory inside has no shell; name a program that it has")
        }
        NOT_FOUND if other_root => error.hint(
            "it was looked for in the root directory inside, with the PATH of the caller; another root may lack it",
        ),
        _ => error,
    }
}

/// The caller's shell may not exist where it is to run.
fn shell_for(other_root: bool) -> OsString {
    let named = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    let there = |shell: &OsString| !other_root || exec::find(shell, Some("".as_ref())).is_some();
    named.filter(there).unwrap_or_else(|| "/bin/sh".into())
}
