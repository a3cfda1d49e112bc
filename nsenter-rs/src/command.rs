//! What to run inside, and where it is looked for.

use crate::filter::Filter;
use crate::plan::Plan;
use crate::toolbox::Toolbox;
use chain::accounts::own_shell;
use chain::error::NOT_FOUND;
use chain::exec::{self, Environment};
use chain::sys::fd::close_from_3_except;
use chain::sys::signal::reset_all;
use chain::{Cannot, Error};
use std::ffi::{OsStr, OsString};

/// Becomes the command; returns only to say why not. All descriptors above standard error are closed before.
pub fn run(plan: Plan) -> Error {
    let Plan { mut command, mut environment, variables, limits, filter, place, toolbox, .. } = plan;
    if plan.default_signals {
        reset_all();
    }
    for (name, value) in variables {
        environment.get_or_insert_with(Environment::current).set(name, value);
    }
    let no_command = command.is_empty();
    if no_command {
        command.extend(toolbox.as_ref().and_then(Toolbox::shell));
    }
    let other_root = place.other_root;
    drop((plan.doors, plan.groups, plan.who, place, toolbox));
    let closed = close_from_3_except(&[]).cannot("close descriptors");
    let limited = closed.and_then(|()| limits.set());
    // Last: it need not let anything pass but the start of a program.
    if let Err(e) = limited.and_then(|()| filter.as_ref().map_or(Ok(()), Filter::load)) {
        return e;
    }
    let error = match &environment {
        _ if command.is_empty() => run_shell(&environment.unwrap_or_else(Environment::current), other_root),
        None => exec::exec(&command),
        Some(environment) => exec::exec_with(&command, environment),
    };
    match error.exit_status() {
        NOT_FOUND if other_root && command.is_empty() => {
            error.hint("the root directory inside has no shell; name a program that it has, or bring one along with --toolbox")
        }
        NOT_FOUND if other_root => error.hint(
            "it was looked for in the root directory inside, in the PATH that it would have; another root may lack it",
        ),
        _ => error,
    }
}

fn run_shell(environment: &Environment, other_root: bool) -> Error {
    exec::exec_login(&shell(environment, other_root), environment)
}

/// The caller's shell may not exist where it is to run, nor the one that the user's account there names.
fn shell(environment: &Environment, other_root: bool) -> OsString {
    let there = |shell: &OsString| !other_root || exec::find(shell, Some(OsStr::new(""))).is_some();
    let named = environment.get("SHELL").filter(|shell| !shell.is_empty()).map(OsStr::to_owned);
    let of_account = || own_shell().map(OsString::from).filter(there);
    named.filter(there).or_else(of_account).unwrap_or_else(|| "/bin/sh".into())
}
