//! Creates namespaces, then runs the rest of the line in them.
//!
//! [`cli`] reads the options, [`plan`] says what they come to and [`check`] whether that makes sense; [`enter`]
//! makes the namespaces, with [`outside`] what a process in the old ones does and [`inside`] what has to be done in
//! the new; [`credentials`] is who runs the command, [`refused`] explains the kernel's no.
#![cfg_attr(not(test), no_main)]

mod binfmt;
mod check;
mod cli;
mod command;
mod credentials;
mod enter;
mod inside;
mod mapping;
mod outside;
mod pidfile;
mod plan;
mod refused;

use chain::Result;
use chain::child::Parent;
use nix::unistd::Pid;
use pidfile::PidFile;
use plan::Plan;

chain::main!("unshare-rs", run);

fn run(options: cli::Options) -> Result<u8> {
    let plan = Plan::new(options)?;
    if plan.fork { wait(&plan) } else { exec(&plan) }
}

/// A waiting link: the command is a child.
fn wait(plan: &Plan) -> Result<u8> {
    let parent = Parent::prepare()?;
    let child = if plan.is_born_inside() { enter::born(plan, &parent) } else { enter::moved(plan, &parent) }?;
    let _pid_file = PidFile::write(plan.pid_file.as_deref(), child.pid)?;
    parent.wait(child)
}

/// An exec link: this process itself moves.
fn exec(plan: &Plan) -> Result<u8> {
    let pid_file = PidFile::write(plan.pid_file.as_deref(), Pid::this())?;
    enter::move_in(plan)?;
    inside::set_up(&plan.inside)?;
    credentials::change(&plan.inside)?;
    pid_file.leave();
    Err(command::become_it(plan))
}
