//! The two ways into new namespaces: to be born there, or to move.

use crate::plan::Plan;
use crate::{command, credentials, inside, outside, refused};
use chain::child::{Child, Parent};
use chain::gate::Gate;
use chain::init::Channel;
use chain::ns::Kind;
use chain::sys::process::{Fork, clone3, unshare};
use chain::sys::signal;
use chain::{Cannot, Error, Result};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, getpid, getppid, setgid, setgroups, setuid};
use rustix::process::{DumpableBehavior, set_dumpable_behavior, set_parent_process_death_signal};

/// Starts the command as a child that one system call makes together with its namespaces.
pub fn born(plan: &Plan, parent: &Parent) -> Result<Child> {
    let gate = Gate::new(plan.needs_outside())?;
    let child = start(plan, parent, plan.flags(), &gate)?;
    if let Err(e) = outside::finish(&plan.outside, child.pid).and_then(|()| gate.open()) {
        child.send(Signal::SIGKILL);
        parent.wait(child)?;
        return Err(e);
    }
    Ok(child)
}

/// Moves this process in first, where that alone allows what was asked for, and forks then.
pub fn moved(plan: &Plan, parent: &Parent) -> Result<Child> {
    move_in(plan)?;
    let mut child = start(plan, parent, 0, &Gate::new(false)?)?;
    child.is_init = plan.kinds.contains(&Kind::Pid) && !plan.init;
    Ok(child)
}

fn start(plan: &Plan, parent: &Parent, flags: u64, gate: &Gate) -> Result<Child> {
    let channel = if plan.init { Some(Channel::new()?) } else { None };
    let body = || match gate.wait().and_then(|()| settle(plan, parent)) {
        Err(e) => e,
        Ok(()) => match &channel {
            None => command::become_it(plan),
            Some(channel) => channel.run_init(|| command::become_it(plan)),
        },
    };
    let started = match is_plain(plan) {
        true => parent.start_at_once(flags, None, body),
        false => parent.start(flags, None, body),
    };
    let mut child = started.map_err(|errno| refused::explain(plan, errno))?;
    if let Some(channel) = channel {
        channel.listen(&mut child)?;
    }
    Ok(child)
}

/// Whether the child goes straight on to the command: it waits for no map, stays no init, keeps its user, and is not
/// to be in a time namespace, which a process that shares memory enters only with the next program.
fn is_plain(plan: &Plan) -> bool {
    let inside = &plan.inside;
    let keeps_user = inside.user.is_none() && inside.group.is_none() && !inside.keep_caps;
    keeps_user && !plan.init && !plan.needs_outside() && !plan.kinds.contains(&Kind::Time)
}

/// The child's part. The tie to the parent comes last: a change of user undoes it.
fn settle(plan: &Plan, parent: &Parent) -> Result<()> {
    inside::set_up(&plan.inside)?;
    let changed = credentials::change(&plan.inside)?;
    if changed || plan.death != Signal::SIGKILL { parent.tie(plan.death) } else { Ok(()) }
}

/// Moves this process into the new namespaces, with a helper left behind for what must be done from outside.
pub fn move_in(plan: &Plan) -> Result<()> {
    let gate = Gate::new(plan.needs_outside())?;
    let helper = if plan.needs_outside() { Some(leave_helper(plan, &gate)?) } else { None };
    plan.before.owner.map_or(Ok(()), become_owner)?;
    // A filter of system calls may forbid the call also where it would do nothing.
    if plan.flags() != 0 {
        unshare(plan.flags()).map_err(|errno| refused::explain(plan, errno))?;
    }
    if let Some(helper) = helper {
        gate.open()?;
        match waitpid(helper, None).cannot("wait for the helper")? {
            WaitStatus::Exited(_, 0) => {}
            _ => std::process::exit(chain::error::FAILED.into()),
        }
    }
    plan.before.offsets.as_deref().map_or(Ok(()), set_clocks)
}

fn leave_helper(plan: &Plan, gate: &Gate) -> Result<Pid> {
    signal::reset(Signal::SIGCHLD).cannot("reset SIGCHLD")?;
    let mover = getpid();
    match clone3(0, None).cannot("start a helper")? {
        Fork::Parent(helper) => Ok(helper),
        Fork::Child => {
            let done =
                follow(mover).and_then(|()| gate.wait()).and_then(|()| outside::finish(&plan.outside, mover));
            std::process::exit(done.map_or_else(|e| Error::report(&e).into(), |()| 0))
        }
    }
}

/// The helper must not outlive the process that it works for, whose gate would stay shut. That one has told already
/// why it ended.
fn follow(mover: Pid) -> Result<()> {
    set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .cannot("follow the parent's death")?;
    if getppid() != mover {
        std::process::exit(chain::error::FAILED.into());
    }
    Ok(())
}

/// A user namespace belongs to the user who makes it. The kernel hides the /proc files of a process that has
/// changed its user; they are needed for what comes next.
fn become_owner((user, group): (u32, u32)) -> Result<()> {
    let what = || format!("become {user}:{group} to own the user namespace");
    setgroups(&[]).cannot_with(what)?;
    setgid(Gid::from_raw(group)).cannot_with(what)?;
    setuid(Uid::from_raw(user)).cannot_with(what)?;
    set_dumpable_behavior(DumpableBehavior::Dumpable).cannot("stay visible in /proc")
}

/// time_namespaces(7): only before the first process has entered.
fn set_clocks(offsets: &str) -> Result<()> {
    std::fs::write("/proc/self/timens_offsets", offsets)
        .cannot("set the clocks of the time namespace")
        .map_err(|e| {
            e.hint_if(nix::errno::Errno::ERANGE, "a clock cannot be set to before 0 or beyond 146 years")
        })
}
