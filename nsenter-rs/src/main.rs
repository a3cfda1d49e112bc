//! Joins the namespaces of a process or of a file, then runs the rest of the line.
//!
//! [`cli`] reads the options, [`find`] holds the process, [`plan`] says what will be joined and opens all that
//! is needed for it, [`start`] says who starts the command, [`enter`] goes in, [`toolbox`] brings tools along,
//! [`credentials`] says as whom, [`limits`] how much of what, [`filter`] what it may call, [`command`] finds what to run there, [`refused`] explains the kernel's no.
#![cfg_attr(not(test), no_main)]

mod attached;
mod cli;
mod command;
mod credentials;
mod doors;
mod enter;
mod filter;
mod find;
mod groups;
mod join;
mod limits;
mod list;
mod mountinfo;
mod plan;
mod refused;
mod selinux;
mod start;
mod status;
mod target;
mod toolbox;

use chain::{Result, shelter};
use plan::Plan;

chain::main!("nsenter-rs", run);

fn run(options: cli::Options) -> Result<u8> {
    if options.list {
        return list::print(&options);
    }
    let plan = Plan::new(options)?;
    if plan.place.other_root || plan.init {
        shelter::take()?;
    }
    enter::shield()?;
    if plan.fork { start::wait(plan) } else { Err(start::become_it(plan)) }
}
