//! The steps of confinement, in an order that has its reasons.

use super::tie::Tie;
use super::{Confinement, capabilities, credentials, landlock, limits};
use crate::root::{Start, start_in};
use chain::sys::fd::close_from_3_except;
use chain::sys::keyring;
use chain::sys::signal::reset_all;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::umask;
use rustix::thread::set_no_new_privs;
use std::os::fd::AsFd;

/// A step; it does nothing when nothing was asked of it.
pub type Step = fn(&mut Confinement) -> Result<()>;

/// What is done before anything is mounted.
pub const OUTSIDE: [Step; 5] = [
    // First, as whatever comes later could ask the kernel for a key.
    join_keyring,
    // While nothing has been made yet: to raise them takes a right that not every root has.
    raise_limits,
    // By the old root's /proc: the new one may have none.
    set_oom_score,
    // The same.
    note_tie,
    // A file of the old root.
    save_filter,
];

/// What is done in the new root, just before the command. The order is that of runc's standard_init_linux.go.
pub const INSIDE: [Step; 15] = [
    // Once every file has been opened that is still needed, and while there is the right to.
    set_limits,
    // Nothing makes a file any more.
    set_umask,
    // Nothing of this program handles one.
    reset_signals,
    // Before the filters, which need no right with it. It does not hinder what follows: only the start of a program.
    give_up_privileges,
    // Without it they take CAP_SYS_ADMIN, so they come while that is there, and must let pass what follows.
    restrict_with_rights,
    // While CAP_SETPCAP is there.
    bound_capabilities,
    // Before the user changes, which loses all capabilities.
    keep_capabilities,
    // While root still may give a pipe away.
    own_standard_descriptors,
    // Groups before the group, the group before the user: each takes the right that the next one loses.
    set_groups,
    change_user,
    // A directory that root may not enter, as on a network file system, the user perhaps may.
    enter_directory,
    // After the user, who loses what is set before.
    take_rights,
    // After the change of user, which has undone it.
    renew_tie,
    // No file is opened any more but the command. A link of the root can lead through /proc/self/fd to what is open, so
    // before that is looked up.
    restrict_files_and_close,
    // Last: the filter need not let anything pass but the start of a program.
    filter_system_calls,
];

/// Where the kernel has no keys, or an outer filter forbids them to the command too, nothing is to be separated.
fn join_keyring(this: &mut Confinement) -> Result<()> {
    if !this.policy.keyring() {
        return Ok(());
    }
    match keyring::join_new_session() {
        Err(Errno::ENOSYS | Errno::EPERM) if this.policy.keyring.is_none() => Ok(()),
        joined => joined.cannot("make a session keyring").map_err(|e| {
            e.hint_if(Errno::EDQUOT, "this user has too many keys: /proc/sys/kernel/keys/maxkeys")
                .hint_if(Errno::ENOSYS, "this kernel has no keys")
        }),
    }
}

fn raise_limits(this: &mut Confinement) -> Result<()> {
    this.policy.limits.iter().try_for_each(limits::Limit::raise)
}

fn set_oom_score(this: &mut Confinement) -> Result<()> {
    this.policy.oom_score_adj.map_or(Ok(()), limits::set_oom_score)
}

fn note_tie(this: &mut Confinement) -> Result<()> {
    if this.policy.user.is_some() {
        this.tie = Tie::note()?;
    }
    Ok(())
}

fn save_filter(this: &mut Confinement) -> Result<()> {
    match (&this.policy.saved_filter, &this.filter) {
        (None, _) => Ok(()),
        (Some(file), Some(filter)) => filter.save(file),
        (Some(_), None) => Err(Error::new("write the seccomp filter", "there is none")
            .hint("--confine, --seccomp and --seccomp-deny make one")),
    }
}

fn set_limits(this: &mut Confinement) -> Result<()> {
    this.policy.limits.iter().try_for_each(limits::Limit::set)
}

fn set_umask(this: &mut Confinement) -> Result<()> {
    this.policy.umask().map(umask);
    Ok(())
}

fn reset_signals(this: &mut Confinement) -> Result<()> {
    if this.policy.default_signals {
        reset_all();
    }
    Ok(())
}

fn give_up_privileges(this: &mut Confinement) -> Result<()> {
    if this.policy.no_new_privs() { set_no_new_privs(true).cannot("give up new privileges") } else { Ok(()) }
}

fn restrict_with_rights(this: &mut Confinement) -> Result<()> {
    if this.policy.no_new_privs() {
        return Ok(());
    }
    restrict_files(this)?;
    load_filter(this)
}

fn bound_capabilities(this: &mut Confinement) -> Result<()> {
    this.rights.and_then(|rights| rights.bounding).map_or(Ok(()), capabilities::bound)
}

fn keep_capabilities(this: &mut Confinement) -> Result<()> {
    this.rights.zip(this.account.as_ref()).map_or(Ok(()), |(rights, account)| rights.keep_over(account))
}

fn own_standard_descriptors(this: &mut Confinement) -> Result<()> {
    if let Some(account) = &this.account {
        credentials::own_standard_descriptors(account, this.policy.pty);
    }
    Ok(())
}

fn set_groups(this: &mut Confinement) -> Result<()> {
    this.groups.as_ref().map_or(Ok(()), |groups| credentials::set_groups(&groups.ids, groups.implied))
}

fn change_user(this: &mut Confinement) -> Result<()> {
    this.account.as_ref().map_or(Ok(()), credentials::change)
}

fn enter_directory(this: &mut Confinement) -> Result<()> {
    if let (Start::Later(path, _), Some(_)) = (&this.start, &this.account) {
        let root =
            openat(CWD, "/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).cannot("look at the root")?;
        this.start = Start::In(start_in(root.as_fd(), path)?);
    }
    Ok(())
}

fn take_rights(this: &mut Confinement) -> Result<()> {
    this.rights.map_or(Ok(()), |rights| rights.take(this.account.as_ref()))
}

fn renew_tie(this: &mut Confinement) -> Result<()> {
    this.tie.take().map_or(Ok(()), |tie| tie.renew())
}

fn restrict_files_and_close(this: &mut Confinement) -> Result<()> {
    restrict_files(this)?;
    close_from_3_except(&this.keep).cannot("close descriptors")
}

fn filter_system_calls(this: &mut Confinement) -> Result<()> {
    load_filter(this)
}

fn restrict_files(this: &mut Confinement) -> Result<()> {
    this.rules.take().map_or(Ok(()), |rules| landlock::restrict(&rules))
}

fn load_filter(this: &mut Confinement) -> Result<()> {
    if let Some(filter) = this.filter.take() {
        filter.load()?;
        this.is_filtered = true;
    }
    Ok(())
}
