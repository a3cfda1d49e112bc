//! Makes a directory the root and runs the rest of the line in it: an exec link.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the options |
//! | [`plan`] | what is to be done, as plain data |
//! | [`defaults`] | what a new root gets when nothing else is said: tables |
//! | [`namespace`] | a mount namespace that nobody else shares |
//! | [`root`] | what becomes the root, the mounts in it, the switch |
//! | [`layers`] | directories laid over one another |
//! | [`inside`] | paths resolved inside the root, missing mount points |
//! | [`mounts`] | mounts by descriptor |
//! | [`table`] | the table of mounts |
//! | [`proc`], [`dev`] | what lies on top of /proc, /sys and /dev |
//! | [`command`] | becoming the command |

#![cfg_attr(not(test), no_main)]

mod cli;
mod command;
mod defaults;
mod dev;
mod inside;
mod layers;
mod mounts;
mod namespace;
mod plan;
mod proc;
mod root;
mod table;

chain::main!("pivot", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    let plan = plan::Plan::new(options)?;
    let command = command::Command::new(plan.command)?;
    namespace::own_mounts()?;
    let root = root::Root::open(plan.root)?;
    let mounts = mounts::prepare(plan.mounts)?;
    let tree = root.attach(plan.read_only)?;
    let directory = tree.furnish_and_enter(mounts, plan.directory.as_deref())?;
    Err(command.run(&directory))
}
