//! What has to be done in the new namespaces before the command runs there.

use crate::binfmt;
use crate::cli::Propagation;
use crate::plan::Inside;
use chain::sys::net::loopback_up;
use chain::text::show;
use chain::{Cannot, Result};
use nix::errno::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::process::{chdir, chroot};
use std::path::Path;

/// Sets the new namespaces up, in util-linux's order: mounts, host name, network, root, proc, interpreter.
pub fn set_up(plan: &Inside) -> Result<()> {
    plan.propagation.map_or(Ok(()), propagate)?;
    if let Some(name) = &plan.hostname {
        rustix::system::sethostname(name.as_encoded_bytes()).cannot("set the host name")?;
    }
    if plan.loopback {
        loopback_up().cannot("set the loopback interface up")?;
    }
    binfmt::register_from_outside(plan)?;
    change_root(plan)?;
    plan.proc.as_deref().map_or(Ok(()), mount_proc)?;
    binfmt::set_up(plan)
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

/// Without a directory of its own the working directory is the new root: the old one may lie outside of it.
fn change_root(plan: &Inside) -> Result<()> {
    if let Some(root) = &plan.root {
        chroot(root).cannot_with(|| format!("make {} the root", show(root)))?;
    }
    match (&plan.directory, &plan.root) {
        (Some(dir), _) => chdir(dir).cannot_with(|| format!("change to the directory {}", show(dir))),
        (None, Some(_)) => chdir("/").cannot("change to the new root"),
        (None, None) => Ok(()),
    }
}

fn mount_proc(dir: &Path) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("proc", dir, "proc", flags, None).cannot_with(|| format!("mount proc on {}", show(dir))).map_err(|e| {
        e.hint_if(
            Errno::EPERM,
            "without root it needs a pid namespace too (-p), and a /proc outside that no container engine has masked",
        )
    })
}
