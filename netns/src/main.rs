//! Named network namespaces, shared with `ip netns`, and transient ones for the rest of the line.
//!
//! [`cli`] reads the options, [`name`] is what a namespace may be called, [`names`] the directory of them that
//! all tools share, [`create`] makes a namespace; each verb has a file of its own. [`view`] is what a command sees
//! of /sys and /etc in a namespace, [`refused`] explains the kernel's no.
#![cfg_attr(not(test), no_main)]

mod add;
mod cli;
mod create;
mod del;
mod exec;
mod ls;
mod name;
mod names;
mod new;
mod refused;
mod view;

use chain::Result;
use cli::{Options, Verb};

chain::main!("netns", run);

fn run(options: Options) -> Result<u8> {
    match options.verb {
        Verb::Add { name } => add::run(&name).map(|()| 0),
        Verb::Del { names } => del::run(&names),
        Verb::Ls { json } => ls::run(json).map(|()| 0),
        Verb::Exec { name, command } => Err(exec::run(&name, &command)),
        Verb::New { before, command } => Err(new::run(before.as_deref(), &command)),
    }
}
