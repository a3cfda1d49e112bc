//! Makes a directory the root and runs the rest of the line in it: an exec link.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the options |
//! | [`plan`] | what is to be done, as plain data |
//! | [`defaults`] | what a new root gets when nothing else is said: tables |
//! | [`namespace`] | a mount namespace that nobody else shares |
//! | [`root`] | the directory, its private copy, the switch |
//! | [`inside`] | paths resolved inside the root, missing mount points |
//! | [`mounts`] | mounts by descriptor |
//! | [`proc`], [`dev`] | what lies on top of /proc, /sys and /dev |
//! | [`command`] | becoming the command |

#![cfg_attr(not(test), no_main)]

mod cli;
mod command;
mod defaults;
mod dev;
mod inside;
mod mounts;
mod namespace;
mod plan;
mod proc;
mod root;

chain::main!("pivot", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    let plan = plan::Plan::new(options)?;
    let command = command::Command::new(plan.command)?;
    let program = namespace::own_mounts()?;
    let root = root::Root::open(&plan.root)?;
    let mounts = mounts::prepare(plan.mounts)?;
    let tree = root.attach(plan.read_only, program)?;
    let directory = tree.furnish_and_enter(&mounts, plan.directory.as_deref())?;
    drop(mounts);
    Err(command.run(&directory))
}
