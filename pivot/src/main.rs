//! Makes a directory the root and runs the rest of the line in it: an exec link.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the options |
//! | [`plan`] | what is to be done, as plain data |
//! | [`defaults`] | what a new root gets when nothing else is said: tables |
//! | [`namespace`] | namespaces that nobody else shares |
//! | [`root`] | what becomes the root, and the switch |
//! | [`layers`] | directories laid over one another |
//! | [`inside`] | paths resolved inside the root, missing mount points |
//! | [`mounts`], [`bind`], [`filesystem`], [`cgroup`] | mounts by descriptor: copies and new ones |
//! | [`table`] | the table of mounts |
//! | [`idmap`] | owners of files shown as others |
//! | [`furnish`] | the steps done, one after the other |
//! | [`files`], [`edits`] | files in memory; links, directories, modes |
//! | [`proc`], [`dev`], [`covers`] | what lies on top of /proc, /sys and /dev |
//! | [`command`] | becoming the command |

#![cfg_attr(not(test), no_main)]

mod bind;
mod cgroup;
mod cli;
mod command;
mod covers;
mod defaults;
mod dev;
mod edits;
mod files;
mod filesystem;
mod furnish;
mod idmap;
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
    let namespaces = plan.namespaces();
    let command = command::Command::new(plan.command)?;
    let rules = bind::Rules::of(&plan.look);
    let steps = bind::take_early(plan.steps, rules)?;
    namespace::enter_own(&namespaces, rules.cut)?;
    namespace::set_names(&plan.names)?;
    let root = root::Root::open(plan.root)?;
    let work = mounts::prepare(steps, rules)?;
    let tree = root.attach(&plan.look)?;
    let directory = tree.furnish_and_enter(work, &plan.masks, plan.directory.as_deref())?;
    Err(command.run(&directory))
}
