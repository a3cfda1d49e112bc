//! Going in: namespaces, ids, root and working directory, in the order that the kernel's rules allow.
//!
//! Who may join is decided namespace by namespace (setns(2)): CAP_SYS_ADMIN in the user namespace that owns it,
//! and in the one that the caller will be in. Asked for all at once, the kernel checks the first against the
//! caller as it still is, and the second against the user namespace to be joined; that suits root entering a
//! container of any user, a user entering a container of their own, and one inside another. Where namespaces
//! come from several descriptors this has to be done by hand: what can be joined before the user namespace is,
//! the rest after it.

use crate::ids;
use crate::plan::{Directory, Door, Plan};
use crate::refused;
use chain::ns::{self, Kind};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{DumpableBehavior, chroot, fchdir, getcwd, set_dumpable_behavior};
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};

/// Moves this process; after an error it is somewhere between, good for nothing but to end.
pub fn enter(plan: &Plan) -> Result<()> {
    let own = open("/proc/self", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .cannot("look into /proc")?;
    // What runs inside could otherwise attach to this process, and through it reach the host.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).cannot("shield this process")?;
    if plan.take_ids {
        ids::drop_groups_early();
    }
    join_all(&plan.doors)?;
    if plan.take_ids {
        ids::take(&own)?;
    }
    go_to(plan)
}

fn join_all(doors: &[Door]) -> Result<()> {
    let (user, others): (Vec<&Door>, Vec<&Door>) =
        doors.iter().partition(|door| door.kinds.contains(&Kind::User));
    let mut later = Vec::new();
    for door in others {
        match setns(door, &door.kinds) {
            Err(Errno::EPERM) if !user.is_empty() => later.push(door),
            Err(errno) => one_by_one(door, errno)?,
            Ok(()) => {}
        }
    }
    for door in user.into_iter().chain(later) {
        setns(door, &door.kinds).or_else(|errno| one_by_one(door, errno))?;
    }
    Ok(())
}

/// A second try after the one call for all was refused: either it succeeds, by rights that only the user
/// namespace gives, or it shows which kind it is that cannot be joined.
fn one_by_one(door: &Door, errno: Errno) -> Result<()> {
    match &door.kinds[..] {
        [only] => Err(refused::join(door, *only, errno)),
        kinds => kinds
            .iter()
            .try_for_each(|kind| setns(door, &[*kind]).map_err(|errno| refused::join(door, *kind, errno))),
    }
}

fn setns(door: &Door, kinds: &[Kind]) -> Result<(), Errno> {
    // The bits of all kinds fit into the 32 of the system call.
    let kinds = ThreadNameSpaceType::from_bits_retain(ns::flags(kinds.iter().copied()) as u32);
    let joined = move_into_thread_name_spaces(std::os::fd::AsFd::as_fd(&door.fd), kinds);
    joined.map_err(|errno| Errno::from_raw(errno.raw_os_error()))
}

/// Whoever joins a mount namespace stands in its root directory afterwards, and whoever takes another root in that
/// one, so that no directory of the host stays behind.
fn go_to(plan: &Plan) -> Result<()> {
    if let Some(root) = &plan.root {
        fchdir(root).and_then(|()| chroot(".")).cannot("change the root directory").map_err(|e| {
            e.hint_if(
                Errno::EPERM,
                "add -U: the target's user namespace gives the right to, or run it as root",
            )
        })?;
    }
    match &plan.wd {
        Some(dir) => go_to_wd(dir, plan.other_root),
        None => Ok(()),
    }
}

/// The target may have a working directory that its root does not hold: to follow it there would lead out.
fn go_to_wd(dir: &Directory, other_root: bool) -> Result<()> {
    fchdir(&dir.fd).cannot("go to the working directory")?;
    let inside = || getcwd(Vec::new()).is_ok_and(|path| path.as_bytes().starts_with(b"/"));
    if dir.of_target && other_root && !inside() {
        return Err(Error::new("take over the working directory", "it is not below the root directory")
            .hint("without -w the command starts in /; with -r the root directory is the target's"));
    }
    Ok(())
}
