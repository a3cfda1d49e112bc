//! What was asked for, as plain data, and what follows from it.

use super::capabilities::{self, Caps, Change};
use super::landlock;
use super::limits::Limit;
use super::securebits::SecureBits;
use crate::seccomp::{Choice, Denied, Request};
use chain::Result;
use chain::user::{Groups, Who};
use rustix::fs::Mode;
use rustix::thread::CapabilitySet;
use std::path::PathBuf;

/// What is refused to a confined command besides what the built-in policy refuses: to type into the terminal that it
/// shares with its caller.
const CONFINED_DENIES: &str = "@tiocsti";
/// The umask of a confined command, runc's.
const CONFINED_UMASK: u32 = 0o022;

/// Everything that the options of confinement say. `None` is what `--confine` says, and otherwise "as it is".
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Docker's defaults are the ground on which the rest builds.
    pub confine: bool,
    /// Whom the command runs as.
    pub user: Option<Who>,
    /// In which supplementary groups.
    pub groups: Option<Groups>,
    /// What becomes of the capabilities, in order.
    pub capabilities: Vec<Change>,
    /// Those that a user other than root has too.
    pub ambient: Option<Caps>,
    /// No program gives more rights than its caller had.
    pub no_new_privs: Option<bool>,
    /// The filter of system calls.
    pub seccomp: Option<Choice>,
    /// What is refused besides.
    pub denied: Vec<Denied>,
    /// Where the compiled filter is written to.
    pub saved_filter: Option<PathBuf>,
    /// The only files.
    pub landlock: landlock::Paths,
    /// Resource limits, one of each kind.
    pub limits: Vec<Limit>,
    /// The file mode creation mask.
    pub umask: Option<Mode>,
    /// What is added to the score by which the kernel kills.
    pub oom_score_adj: Option<i32>,
    /// Every signal does to the command what it does by default.
    pub default_signals: bool,
    /// The command leads a session.
    pub new_session: bool,
    /// It has a terminal of its own.
    pub pty: bool,
    /// What is set of them.
    pub securebits: SecureBits,
    /// The command has a new session keyring.
    pub keyring: Option<bool>,
    /// Device nodes of the root have no effect.
    pub nodev: Option<bool>,
}

impl Policy {
    /// The last limit of a kind counts.
    pub fn set_limit(&mut self, limit: Limit) {
        self.limits.retain(|other| other.name != limit.name);
        self.limits.push(limit);
    }

    /// Whether the start of a program may give no more rights.
    pub fn no_new_privs(&self) -> bool {
        self.no_new_privs.unwrap_or(self.confine)
    }

    /// Whether the command has a new session keyring.
    pub fn keyring(&self) -> bool {
        self.keyring.unwrap_or(self.confine)
    }

    /// Whether device nodes of the root have no effect.
    pub fn nodev(&self) -> bool {
        self.nodev.unwrap_or(self.confine)
    }

    /// The umask to set.
    pub fn umask(&self) -> Option<Mode> {
        self.umask.or_else(|| self.confine.then_some(Mode::from(CONFINED_UMASK)))
    }

    /// The filter of system calls to make. `--seccomp none` leaves out all that confinement would filter.
    pub fn seccomp(&self) -> Request {
        let mut denied = self.denied.clone();
        let choice = match &self.seccomp {
            Some(choice) => choice.clone(),
            None if self.confine => Choice::Default,
            None => Choice::None,
        };
        if self.confine && choice != Choice::None {
            denied.extend(Denied::parse(CONFINED_DENIES));
        }
        Request { choice, denied }
    }

    /// What is kept of the capabilities `own`, those permitted to this process. `None` when nothing is said of them.
    pub fn kept(&self, own: CapabilitySet) -> Result<Option<CapabilitySet>> {
        if !self.confine && self.capabilities.is_empty() {
            return Ok(None);
        }
        capabilities::kept(&self.capabilities, self.confine, own).map(Some)
    }

    /// Which of `kept` a user other than root has too.
    pub fn ambient(&self, kept: CapabilitySet) -> Result<CapabilitySet> {
        match self.ambient {
            None => Ok(CapabilitySet::empty()),
            Some(Caps::All) => Ok(kept),
            Some(Caps::These(these)) => capabilities::had(these, kept, "make ambient for"),
        }
    }

    /// Whether the command gets other capabilities, or another user, whose change would give it others.
    pub fn changes_capabilities(&self) -> bool {
        let is_about = !self.capabilities.is_empty() || self.ambient.is_some() || self.securebits != 0;
        self.confine || is_about || self.user.is_some()
    }

    /// Whether those that this process has need to be looked at.
    pub fn is_about_capabilities(&self) -> bool {
        self.changes_capabilities() || self.seccomp.is_some() || !self.denied.is_empty()
    }
}
