//! What the command may still do: taken from it after the switch of the root, in an order that has its reasons.
//!
//! | module | what it holds |
//! |---|---|
//! | [`policy`] | what was asked for, as plain data |
//! | [`user`], [`accounts`] | whom the command runs as, by the new root's files |
//! | [`capabilities`], [`securebits`] | which rights it keeps |
//! | [`credentials`] | becoming that user with those rights |
//! | [`landlock`] | which files it may use |
//! | [`limits`] | resource limits, umask, OOM score |
//! | [`session`] | its session and its terminal |
//! | [`tie`] | the tie to a parent that waits |

pub mod accounts;
pub mod capabilities;
mod credentials;
pub mod landlock;
pub mod limits;
pub mod policy;
pub mod securebits;
pub mod session;
mod tie;
pub mod user;

use crate::root::{Start, start_in};
use crate::seccomp::Filter;
use accounts::{Account, Database, USERS};
use chain::sys::fd::close_from_3_except;
use chain::sys::keyring;
use chain::sys::landlock::Ruleset;
use chain::{Cannot, Error, Result};
use credentials::Rights;
use nix::errno::Errno;
use policy::Policy;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{getegid, getuid, umask};
use rustix::thread::{capabilities as look, set_no_new_privs};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use tie::Tie;

/// All that is to be taken away, once it is certain that it can be.
#[derive(Debug)]
pub struct Confinement {
    policy: Policy,
    keep: Vec<u32>,
    /// What the command gets of the capabilities; `None` when it is as it is.
    pub rights: Option<Rights>,
    filter: Option<Filter>,
    is_filtered: bool,
    handled: u64,
    account: Option<Account>,
    groups: Option<Groups>,
    rules: Option<Ruleset>,
    tie: Option<Tie>,
    start: Start,
}

/// Supplementary groups.
#[derive(Debug)]
struct Groups {
    ids: Vec<u32>,
    /// Nobody has asked for them: they are what belongs to something else.
    implied: bool,
}

/// A step; it does nothing when nothing was asked of it.
type Step = fn(&mut Confinement) -> Result<()>;

/// What is done before anything is mounted.
const OUTSIDE: [Step; 4] = [
    // First, as whatever comes later could ask the kernel for a key.
    join_keyring,
    // While nothing has been made yet: to raise them takes a right that not every root has.
    raise_limits,
    // By the old root's /proc: the new one may have none.
    set_oom_score,
    // The same.
    note_tie,
];

/// What is done in the new root, just before the command. The order is that of runc's standard_init_linux.go.
const INSIDE: [Step; 14] = [
    // Once every file has been opened that is still needed, and while there is the right to.
    set_limits,
    // Nothing makes a file any more.
    set_umask,
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

impl Confinement {
    /// Checks all that can be checked from here, and compiles the filter. Errors: what this process does not have, or
    /// the kernel; files that cannot be read. `keep`: the descriptors that the command may have.
    pub fn prepare(policy: Policy, keep: Vec<u32>) -> Result<Self> {
        let mut new = Confinement {
            handled: policy.landlock.handled()?,
            rights: None,
            policy,
            keep,
            filter: None,
            is_filtered: false,
            account: None,
            groups: None,
            rules: None,
            tie: None,
            start: Start::In(PathBuf::new()),
        };
        if new.policy.is_about_capabilities() {
            let own = look(None).cannot("read the capabilities")?.permitted;
            let kept = new.policy.kept(own)?;
            let permitted = kept.unwrap_or(own);
            let ambient = new.policy.ambient(permitted)?;
            new.filter = new.policy.seccomp().prepare(|| permitted)?;
            new.rights = new.policy.changes_capabilities().then_some(Rights {
                bounding: kept,
                permitted,
                ambient,
                securebits: new.policy.securebits,
            });
        }
        Ok(new)
    }

    /// Does what comes before the mounts.
    pub fn begin(&mut self) -> Result<()> {
        OUTSIDE.iter().try_for_each(|step| step(self))
    }

    /// Looks up in the new root whatever is to be found there. Gives the account whose variables the command gets:
    /// `home` asks for that also when no user was.
    pub fn look_inside(&mut self, root: BorrowedFd<'_>, home: bool) -> Result<Option<Account>> {
        self.account = self.policy.user.as_ref().map(|who| user::find(root, who)).transpose()?;
        let asked =
            self.policy.groups.as_ref().map(|groups| user::find_groups(root, &groups.0)).transpose()?;
        self.groups = match (asked, &self.account) {
            (Some(ids), _) => Some(Groups { ids, implied: false }),
            (None, Some(account)) => {
                Some(Groups { ids: account.groups.clone(), implied: account.groups.len() == 1 })
            }
            // Those of the caller are the host's.
            (None, None) if self.policy.confine => {
                Some(Groups { ids: vec![getegid().as_raw()], implied: true })
            }
            (None, None) => None,
        };
        self.rules = self.policy.landlock.rules(root, self.handled)?;
        match &self.account {
            None if home && self.policy.confine => account_of_caller(root).map(Some),
            account => Ok(account.clone()),
        }
    }

    /// Takes everything away that is to be; the process is fit for nothing then but to become the command. Gives the
    /// directory that it stands in.
    pub fn apply(&mut self, start: Start) -> Result<PathBuf> {
        self.start = start;
        INSIDE.iter().try_for_each(|step| step(self))?;
        match std::mem::replace(&mut self.start, Start::In(PathBuf::new())) {
            Start::In(directory) => Ok(directory),
            Start::Later(_, error) => Err(error),
        }
    }

    /// Why a command does not run, if it may be for what was taken away.
    pub fn explain(&self, e: Error) -> Error {
        let e = match self.policy.landlock.is_empty() {
            true => e,
            false => e.hint_if(
                Errno::EACCES,
                "no path of --landlock-ro or --landlock-rw holds it, or what it needs",
            ),
        };
        if self.is_filtered {
            e.hint_if(Errno::EPERM, "the filter of --seccomp or --seccomp-deny may refuse execve")
        } else {
            e
        }
    }
}

/// For its variables only, so that a root without such a user is none to be refused.
fn account_of_caller(root: BorrowedFd<'_>) -> Result<Account> {
    let (user, group) = (getuid().as_raw(), getegid().as_raw());
    let passwd = Database::read(root, &USERS)?;
    let line = passwd.by_id(user)?;
    let home = line.map_or_else(|| "/".into(), |line| line.home());
    Ok(Account { user, group, groups: Vec::new(), name: line.map(|line| line.name().to_owned()), home })
}

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

fn set_limits(this: &mut Confinement) -> Result<()> {
    this.policy.limits.iter().try_for_each(limits::Limit::set)
}

fn set_umask(this: &mut Confinement) -> Result<()> {
    this.policy.umask().map(umask);
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
