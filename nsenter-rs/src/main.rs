//! Joins the namespaces of a process or of a file, then runs the rest of the line.
//!
//! [`cli`] reads the options, [`target`] holds the process, [`plan`] says what will be joined and opens all that
//! is needed for it, [`enter`] goes in, [`ids`] takes the ids of the inside, [`command`] finds what to run there,
//! [`refused`] explains the kernel's no.
#![cfg_attr(not(test), no_main)]

mod attached;
mod cli;
mod command;
mod enter;
mod ids;
mod plan;
mod refused;
mod target;

use chain::Result;
use chain::child::Parent;
use plan::Plan;

chain::main!("nsenter-rs", run);

fn run(options: cli::Options) -> Result<u8> {
    let plan = Plan::new(options)?;
    if plan.fork { start(plan) } else { become_command(plan) }
}

/// An exec link: this process itself goes in.
fn become_command(plan: Plan) -> Result<u8> {
    enter::enter(&plan)?;
    Err(command::run(plan))
}

/// A waiting link: only a child can be in another pid namespace. Ids change before it is born, since that
/// would undo its vow to die with its parent.
fn start(plan: Plan) -> Result<u8> {
    let parent = Parent::prepare()?;
    enter::enter(&plan)?;
    // The plan goes with the child: what it holds open would keep the container's root busy while this waits.
    let child = parent.start(0, None, move || command::run(plan)).map_err(refused::start)?;
    parent.wait(child)
}
