//! What a filter is to do, as plain data.

use super::machine::Syscall;

/// What becomes of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The process is killed.
    KillProcess,
    /// The thread is killed.
    KillThread,
    /// The thread gets SIGSYS.
    Trap,
    /// The call fails with this error number.
    Errno(u16),
    /// A tracer is told, with this number; without one the call fails with ENOSYS.
    Trace(u16),
    /// The call is made, and logged.
    Log,
    /// The call is made.
    Allow,
}

/// EPERM.
pub const REFUSED: Action = Action::Errno(1);
/// ENOSYS: what a kernel says that does not have the call, so that programs try an older one.
pub const UNKNOWN: Action = Action::Errno(38);

impl Action {
    /// What the program returns: SECCOMP_RET_* of linux/seccomp.h.
    pub fn value(self) -> u32 {
        match self {
            Action::KillProcess => 0x8000_0000,
            Action::KillThread => 0,
            Action::Trap => 0x0003_0000,
            Action::Errno(errno) => 0x0005_0000 | u32::from(errno),
            Action::Trace(number) => 0x7ff0_0000 | u32::from(number),
            Action::Log => 0x7ffc_0000,
            Action::Allow => 0x7fff_0000,
        }
    }

    /// The call may be made, as far as this filter is concerned.
    pub fn permits(self) -> bool {
        matches!(self, Action::Trace(_) | Action::Log | Action::Allow)
    }
}

/// A condition on one argument of a call, all 64 bits of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which argument, 0 to 5.
    pub argument: u8,
    /// What it must be.
    pub test: Test,
}

/// What an argument must be, as an unsigned number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Test {
    /// Any other.
    Ne(u64),
    /// Less.
    Lt(u64),
    /// Less or the same.
    Le(u64),
    /// The same.
    Eq(u64),
    /// The same or greater.
    Ge(u64),
    /// Greater.
    Gt(u64),
    /// Its bits of `mask` are `value`.
    Masked {
        /// Which bits count.
        mask: u64,
        /// What they must be; it has no others.
        value: u64,
    },
    /// One of these bits is set.
    AnyOf(u64),
}

impl Test {
    /// The test for arguments of fewer bits: what a value has beyond these is not looked at, as in libseccomp. So -1
    /// stays -1.
    pub fn within(self, width: u64) -> Self {
        match self {
            Test::Ne(value) => Test::Ne(value & width),
            Test::Lt(value) => Test::Lt(value & width),
            Test::Le(value) => Test::Le(value & width),
            Test::Eq(value) => Test::Eq(value & width),
            Test::Ge(value) => Test::Ge(value & width),
            Test::Gt(value) => Test::Gt(value & width),
            Test::Masked { mask, value } => Test::Masked { mask: mask & width, value: value & width },
            Test::AnyOf(bits) => Test::AnyOf(bits & width),
        }
    }
}

/// What is done with calls that meet all conditions.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The calls.
    pub calls: Vec<&'static Syscall>,
    /// What becomes of them.
    pub action: Action,
    /// On which conditions.
    pub conditions: Vec<Condition>,
}

/// A whole policy.
#[derive(Debug, Clone)]
pub struct Profile {
    /// What becomes of a call that no rule is about.
    pub otherwise: Action,
    /// 32-bit programs are held to the same rules; without this they are killed.
    pub compat: bool,
    /// What is looked at before the rules: the first whose conditions are met counts.
    pub first: Vec<Rule>,
    /// The rules. Of those for one call, the first without conditions counts alone, whichever conditions stand before
    /// it; else the first whose conditions are met. That is what libseccomp makes of such a list.
    pub rules: Vec<Rule>,
    /// The newest call that the policy was written for, where that is not the newest in the rules.
    pub newest: Option<&'static Syscall>,
    /// SECCOMP_FILTER_FLAG_* bits.
    pub flags: u32,
    /// Names in it that this machine has no call for.
    pub unknown: Vec<String>,
}

impl Profile {
    /// The call is not permitted, whatever its arguments are.
    pub fn refuses(&self, call: &Syscall) -> bool {
        let is_named = |rule: &&Rule| rule.calls.iter().any(|other| other.name == call.name);
        let settles = |rule: &&Rule| rule.conditions.is_empty();
        let permits = |rule: &Rule| rule.action.permits();
        if let Some(rule) = self.first.iter().filter(is_named).find(|rule| settles(rule) || permits(rule)) {
            return !permits(rule);
        }
        let rules = || self.rules.iter().filter(is_named).filter(|rule| rule.action != self.otherwise);
        match rules().find(settles) {
            Some(rule) => !permits(rule),
            None => !self.otherwise.permits() && !rules().any(permits),
        }
    }

    /// A policy without rules.
    pub fn new(otherwise: Action) -> Self {
        Profile {
            otherwise,
            compat: true,
            first: Vec::new(),
            rules: Vec::new(),
            newest: None,
            flags: 0,
            unknown: Vec::new(),
        }
    }
}
