//! What has to be done in the new namespaces before the command runs there.

use crate::cli::Propagation;
use crate::plan::Plan;
use chain::exec::{Environment, exec, exec_with};
use chain::ns::{self, Kind};
use chain::sys::net::loopback_up;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use std::path::Path;

/// Sets the new namespaces up and becomes the command; returns only to say why not.
pub fn run(plan: &Plan) -> Error {
    match set_up(plan).and_then(|()| fresh(plan)) {
        Ok(Some(environment)) => exec_with(&plan.command, &environment),
        Ok(None) => exec(&plan.command),
        Err(e) => e,
    }
}

fn set_up(plan: &Plan) -> Result<()> {
    if plan.kinds.contains(&Kind::Mount) {
        propagate(plan.propagation)?;
    }
    if let Some(name) = &plan.hostname {
        rustix::system::sethostname(name.as_encoded_bytes()).cannot("set the host name")?;
    }
    if plan.kinds.contains(&Kind::Net) {
        loopback_up().cannot("set the loopback interface up")?;
    }
    plan.proc.as_deref().map_or(Ok(()), mount_proc)
}

fn propagate(mode: Propagation) -> Result<()> {
    let flag = match mode {
        Propagation::Private => MountPropagationFlags::PRIVATE,
        Propagation::Shared => MountPropagationFlags::SHARED,
        Propagation::Slave => MountPropagationFlags::DOWNSTREAM,
        Propagation::Unchanged => return Ok(()),
    };
    mount_change("/", flag | MountPropagationFlags::REC).cannot("change the propagation of /").map_err(|e| {
        e.hint_if(
            Errno::EINVAL,
            "/ is not a mount point (a chroot?); --propagation unchanged leaves it as it is",
        )
    })
}

fn mount_proc(dir: &Path) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", dir, "proc", flags, None).cannot_with(|| format!("mount proc on {}", show(dir))).map_err(|e| {
        e.hint_if(Errno::EPERM, "without root it needs a pid namespace too (-p), and a /proc outside that no container engine has masked")
    })
}

/// Tells the next link that nobody can share its mount namespace yet: one clone made it together with the pid
/// namespace, whose inode number is given too. `pivot` checks both and need not make a mount namespace again.
fn fresh(plan: &Plan) -> Result<Option<Environment>> {
    if !plan.fork || ![Kind::Mount, Kind::Pid].iter().all(|kind| plan.kinds.contains(kind)) {
        return Ok(None);
    }
    let inode = |file| ns::identity("self", file).map(|(_, inode)| inode);
    let (Ok(mount), Ok(pid)) = (inode("mnt"), inode("pid")) else { return Ok(None) };
    let mut environment = Environment::current();
    environment.set("CHAIN_NS", format!("{mount}:{pid}"));
    Ok(Some(environment))
}
