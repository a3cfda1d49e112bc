//! What the command may still do: taken from it after the switch of the root, in an order that has its reasons.
//!
//! | module | what it holds |
//! |---|---|
//! | [`policy`] | what was asked for, as plain data |
//! | [`capabilities`], [`securebits`] | which rights it keeps |
//! | [`credentials`] | becoming that user with those rights |
//! | [`landlock`] | which files it may use |
//! | [`limits`] | resource limits, umask, OOM score |
//! | [`steps`] | all of that, in its order |
//! | [`session`] | its session and its terminal |
//! | [`tie`] | the tie to a parent that waits |

pub mod capabilities;
mod credentials;

pub mod landlock;
pub mod limits;
pub mod policy;
pub mod securebits;
pub mod session;
mod steps;
mod tie;

use crate::root::Start;
use crate::seccomp::Filter;
use chain::sys::landlock::Ruleset;
use chain::user;
use chain::user::database::{Account, Database, USERS};
use chain::{Cannot, Error, Result};
use credentials::Rights;
use nix::errno::Errno;
use policy::Policy;
use rustix::process::{getegid, getuid};
use rustix::thread::capabilities as look;
use std::os::fd::BorrowedFd;
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

impl Confinement {
    /// Checks all that can be checked from here, and compiles the filter. Errors: what this process does not have, or
    /// the kernel; files that cannot be read. `keep`: the descriptors that the command may have.
    pub fn prepare(policy: Policy, keep: Vec<u32>) -> Result<Self> {
        let handled = policy.landlock.handled()?;
        let (rights, filter) = if policy.is_about_capabilities() { weigh(&policy)? } else { (None, None) };
        Ok(Confinement {
            policy,
            keep,
            rights,
            filter,
            is_filtered: false,
            handled,
            account: None,
            groups: None,
            rules: None,
            tie: None,
            start: Start::In(PathBuf::new()),
        })
    }

    /// Does what comes before the mounts.
    pub fn begin(&mut self) -> Result<()> {
        steps::OUTSIDE.iter().try_for_each(|step| step(self))
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
        steps::INSIDE.iter().try_for_each(|step| step(self))?;
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

/// What depends on the capabilities of this process.
fn weigh(policy: &Policy) -> Result<(Option<Rights>, Option<Filter>)> {
    let own = look(None).cannot("read the capabilities")?.permitted;
    let kept = policy.kept(own)?;
    let permitted = kept.unwrap_or(own);
    let ambient = policy.ambient(permitted)?;
    let filter = policy.seccomp().prepare(|| permitted)?;
    let rights = Rights { bounding: kept, permitted, ambient, securebits: policy.securebits };
    Ok((policy.changes_capabilities().then_some(rights), filter))
}

/// For its variables only, so that a root without such a user is none to be refused.
fn account_of_caller(root: BorrowedFd<'_>) -> Result<Account> {
    let (user, group) = (getuid().as_raw(), getegid().as_raw());
    let passwd = Database::read(root, &USERS)?;
    let line = passwd.by_id(user)?;
    let home = line.map_or_else(|| "/".into(), |line| line.home());
    Ok(Account { user, group, groups: Vec::new(), name: line.map(|line| line.name().to_owned()), home })
}
