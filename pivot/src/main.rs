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
//! | [`confine`] | what is taken from the command |
//! | [`seccomp`] | which system calls it may make |
//! | [`environment`] | its variables |
//! | [`explain`] | all of that, told instead of done |
//! | [`command`] | becoming the command |

#![cfg_attr(not(test), no_main)]

mod cli;
mod command;
mod confine;
mod defaults;
mod dev;
mod environment;
mod explain;
mod inside;
mod mounts;
mod namespace;
mod plan;
mod proc;
mod root;
mod seccomp;

use confine::Confinement;
use confine::session::Session;
use std::os::fd::BorrowedFd;

chain::main!("pivot", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    let plan = plan::Plan::new(options)?;
    if let Some(form) = plan.explain {
        return explain::print(&plan, form);
    }
    let nodev = plan.policy.nodev();
    let mut confinement = Confinement::prepare(plan.policy, plan.command.keep.clone())?;
    let mut session = Session::plan(&confinement);
    let mut command = command::Command::new(plan.command)?;
    confinement.begin()?;
    namespace::own_mounts()?;
    let root = root::Root::open(&plan.root)?;
    let mounts = mounts::prepare(plan.mounts)?;
    let tree = root.attach(plan.read_only, nodev)?;
    let look = |root: BorrowedFd<'_>| {
        session.look_inside(root)?;
        confinement.look_inside(root, command.lacks_home())
    };
    let (start, account) = tree.furnish_and_enter(&mounts, plan.directory.as_deref(), look)?;
    account.iter().for_each(|account| command.tell_account(account));
    drop(mounts);
    session.run(confinement, command, start)
}
