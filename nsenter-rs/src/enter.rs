//! Going in: control groups, namespaces, root and working directory, ids, each while there still is the right to.

use crate::join;
use crate::plan::{Directory, Place, Plan};
use crate::selinux;
use chain::exec::Environment;
use chain::ns::Kind;
use chain::text::show;
use chain::{Cannot, Error, Result, error};
use nix::errno::Errno;
use nix::unistd::getpid;
use rustix::fs::{CWD, Mode, OFlags, open, readlinkat};
use rustix::process::{DumpableBehavior, chdir, chroot, fchdir, getcwd, set_dumpable_behavior};

/// What runs inside could otherwise attach to this process, and through it reach the host. A change of ids or of
/// the user namespace may undo it (proc_sys_fs(5), `suid_dumpable`), so it is done again then.
pub fn shield() -> Result<()> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).cannot("shield this process")
}

/// Lets children be born in the pid namespace; the rest is left to the child.
pub fn open_the_way(plan: &mut Plan) -> Result<()> {
    join::only(&mut plan.doors, &[Kind::Pid])
}

/// Moves this process; after an error it is somewhere between, good for nothing but to end. Whoever becomes an account
/// gets its home directory.
pub fn enter(plan: &mut Plan) -> Result<()> {
    let own = open("/proc/self", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
        .cannot("look into /proc")
        .map_err(|e| e.hint_if(Errno::ENOENT, "a proc file system must be mounted there"))?;
    plan.limits.raise();
    plan.groups.join()?;
    plan.who.set_groups_early()?;
    join_namespaces(plan)?;
    shield()?;
    go_to(&plan.place)?;
    if let Some(account) = plan.who.become_it(&own)? {
        plan.environment.get_or_insert_with(Environment::current).set("HOME", account.home);
    }
    shield()?;
    plan.context.as_deref().map_or(Ok(()), |context| selinux::follow(context, &own))?;
    if plan.doubts_proc {
        warn_of_other_proc();
    }
    Ok(())
}

/// A toolbox needs the mounts of the target with rights and sources of the host: it joins in an order of its own.
fn join_namespaces(plan: &mut Plan) -> Result<()> {
    match &plan.toolbox {
        Some(toolbox) => toolbox.enter(&mut plan.doors),
        None => join::all(&mut plan.doors),
    }
}

/// Whoever joins a mount namespace stands in its root directory afterwards, and whoever takes another root in that
/// one, so that no directory of the host stays behind.
fn go_to(place: &Place) -> Result<()> {
    if let Some(root) = &place.root {
        fchdir(root).and_then(|()| chroot(".")).cannot("change the root directory").map_err(|e| {
            e.hint_if(
                Errno::EPERM,
                "add -U: the target's user namespace gives the right to, or run it as root",
            )
        })?;
    }
    if let Some(dir) = &place.wd {
        go_to_wd(dir, place)?;
    }
    if let Some(dir) = &place.wdns {
        chdir(dir).cannot_with(|| format!("go to {} inside", show(dir)))?;
        check_inside(place)?;
    }
    Ok(())
}

fn go_to_wd(dir: &Directory, place: &Place) -> Result<()> {
    fchdir(&dir.fd).cannot("go to the working directory")?;
    if dir.of_target { check_inside(place) } else { Ok(()) }
}

/// The target may have a working directory that its root does not hold, and a link in there can lead to one of this
/// process's descriptors: to follow it would lead out.
fn check_inside(place: &Place) -> Result<()> {
    let inside = || getcwd(Vec::new()).is_ok_and(|path| path.as_bytes().starts_with(b"/"));
    if place.other_root && !inside() {
        return Err(Error::new("go to the working directory", "it is not below the root directory")
            .hint("without -w and -W the command starts in /; with -r the root directory is the target's"));
    }
    Ok(())
}

/// /proc belongs to the mount namespace: with another one's, ps lists processes of outside under wrong numbers.
fn warn_of_other_proc() {
    let number = readlinkat(CWD, "/proc/self", Vec::new()).ok().and_then(|link| link.into_string().ok());
    if number.is_some_and(|number| number != getpid().to_string()) {
        error::say(
            "hint: /proc is that of another pid namespace, and so is what ps shows; -m adds the mount namespace",
        );
    }
}
