//! Creates namespaces, then runs the rest of the line in them.
//!
//! [`cli`] reads the options, [`plan`] says what they come to, [`outside`] does what only a process in the old
//! namespaces can do, [`inside`] what has to be done in the new ones, [`refused`] explains the kernel's no.
#![cfg_attr(not(test), no_main)]

mod cli;
mod gate;
mod inside;
mod outside;
mod plan;
mod refused;

use chain::child::Parent;
use chain::sys::process::{Fork, clone3, unshare};
use chain::sys::signal;
use chain::{Cannot, Error, Result};
use gate::Gate;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getpid, getppid};
use plan::Plan;
use rustix::process::set_parent_process_death_signal;

chain::main!("unshare-rs", run);

fn run(options: cli::Options) -> Result<u8> {
    let plan = Plan::new(options)?;
    if plan.fork { start(&plan) } else { become_command(&plan) }
}

/// A waiting link: the command is a child that is born into all of its namespaces.
fn start(plan: &Plan) -> Result<u8> {
    let gate = Gate::new(plan.needs_outside())?;
    let parent = Parent::prepare()?;
    let child = parent
        .start(plan.flags(), None, || gate.wait().map_or_else(|e| e, |()| inside::run(plan)))
        .map_err(|errno| refused::explain(plan, errno))?;
    if let Err(e) = outside::finish(plan, child.pid).and_then(|()| gate.open()) {
        child.send(Signal::SIGKILL);
        parent.wait(child)?;
        return Err(e);
    }
    parent.wait(child)
}

/// An exec link: this process itself moves, with a helper left behind for what must be done from outside.
fn become_command(plan: &Plan) -> Result<u8> {
    let gate = Gate::new(plan.needs_outside())?;
    let helper = if plan.needs_outside() { Some(leave_helper(plan, &gate)?) } else { None };
    unshare(plan.flags()).map_err(|errno| refused::explain(plan, errno))?;
    if let Some(helper) = helper {
        gate.open()?;
        match waitpid(helper, None).cannot("wait for the helper")? {
            WaitStatus::Exited(_, 0) => {}
            _ => std::process::exit(chain::error::FAILED.into()),
        }
    }
    Err(inside::run(plan))
}

fn leave_helper(plan: &Plan, gate: &Gate) -> Result<Pid> {
    signal::reset(Signal::SIGCHLD).cannot("reset SIGCHLD")?;
    let mover = getpid();
    match clone3(0, None).cannot("start a helper")? {
        Fork::Parent(helper) => Ok(helper),
        Fork::Child => {
            let done = follow(mover).and_then(|()| gate.wait()).and_then(|()| outside::finish(plan, mover));
            std::process::exit(done.map_or_else(|e| Error::report(&e).into(), |()| 0))
        }
    }
}

/// The helper must not outlive the process that it works for, whose gate would stay shut.
fn follow(mover: Pid) -> Result<()> {
    set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).cannot("follow the parent's death")?;
    if getppid() == mover { Ok(()) } else { Err(Error::new("help", "the parent has ended")) }
}
