//! Who starts the command: this process itself, which becomes it, or a parent that waits for it.

use crate::plan::Plan;
use crate::{command, enter, refused};
use chain::child::Parent;
use chain::init::Channel;
use chain::pty::Pty;
use chain::{Cannot, Error, Result};
use nix::sys::signal::Signal;
use rustix::process::{getpid, set_child_subreaper};
use std::os::fd::AsFd;

/// An exec link; returns only to say why not.
pub fn become_it(mut plan: Plan) -> Error {
    enter::enter(&mut plan).map_or_else(|e| e, |()| command::run(plan))
}

/// A waiting link: only a child can be in another pid namespace. The plan goes with it, as what it holds open would
/// keep the container's root busy while this waits.
pub fn wait(mut plan: Plan) -> Result<u8> {
    let parent = Parent::prepare()?;
    let pty = plan.pty.then(Pty::open).transpose()?;
    let channel = plan.init.then(Channel::new).transpose()?;
    enter::open_the_way(&mut plan)?;
    let group = plan.groups.birth.take();
    let body = || match (settle(&mut plan, &parent, pty.as_ref()), &channel) {
        (Err(e), _) => e,
        (Ok(()), None) => command::run(plan),
        (Ok(()), Some(channel)) => reap(channel, plan),
    };
    let child = parent.start(0, group.as_ref().map(|(dir, _)| dir.as_fd()), body);
    let mut child =
        child.map_err(|errno| refused::start(errno, group.as_ref().map(|(_, path)| path.as_path())))?;
    if let Some(channel) = channel {
        channel.listen(&mut child)?;
    }
    match pty {
        Some(pty) => parent.wait_relaying(child, pty),
        None => parent.wait(child),
    }
}

/// The child's part. The tie to the parent comes after the ids: a change of user undoes it.
fn settle(plan: &mut Plan, parent: &Parent, pty: Option<&Pty>) -> Result<()> {
    enter::enter(plan)?;
    parent.tie(Signal::SIGKILL)?;
    pty.map_or(Ok(()), Pty::attach)
}

/// The pid namespace has its PID 1, which may be a program that reaps nobody: what the command leaves behind comes to
/// this process instead.
fn reap(channel: &Channel, plan: Plan) -> Error {
    match set_child_subreaper(Some(getpid())).cannot("become a reaper") {
        Err(e) => e,
        Ok(()) => channel.run_init(|| command::run(plan)),
    }
}
