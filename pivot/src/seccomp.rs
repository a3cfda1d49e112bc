//! Which system calls the command may make: seccomp(2).
//!
//! | module | what it holds |
//! |---|---|
//! | [`machine`] | the tables of system calls |
//! | [`profile`] | a policy, as plain data |
//! | [`default`] | the built-in policy |
//! | [`groups`] | what can be denied by one word |
//! | [`json`] | policies in Docker's and OCI's format |
//! | [`compile`], [`arguments`], [`tree`], [`assembler`] | from a policy to a program for the kernel |
//! | [`explain`] | what a filter does, in words |

mod arguments;
mod assembler;
mod compile;
mod default;
mod explain;
mod groups;
mod json;
mod machine;
mod profile;

#[cfg(test)]
mod tests;
mod tree;

use chain::filter;
use chain::replace::{check, replace};
use chain::sys::seccomp::{Instruction, set_filter};
use chain::text::show;
use chain::{Cannot, Error, Result};
use profile::{Action, Profile, Rule};
use rustix::thread::CapabilitySet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What `--seccomp` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// No filter.
    #[default]
    None,
    /// The built-in policy.
    Default,
    /// What this file holds.
    File(PathBuf),
}

impl Choice {
    /// `default`, `none` or a file. Errors: the reason, for a usage error.
    pub fn parse(text: &OsStr) -> Result<Self, &'static str> {
        match text.to_str() {
            Some("") => Err("the name is empty"),
            Some("none") => Ok(Choice::None),
            Some("default") => Ok(Choice::Default),
            _ => Ok(Choice::File(text.into())),
        }
    }
}

/// What one `--seccomp-deny` asks for.
#[derive(Debug, Clone)]
pub struct Denied(Vec<Rule>);

impl Denied {
    /// `@group` or a system call, more of them after commas. Errors: the reason, for a usage error.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rules = text.split(',').map(|name| {
            groups::deny(machine::THIS, name).ok_or_else(|| match name.strip_prefix('@') {
                Some(_) => format!("there is no group {}; there are {}", show(name), groups::names()),
                None => format!("this machine has no system call {}", show(name)),
            })
        });
        rules.collect::<Result<Vec<_>, _>>().map(|rules| Denied(rules.concat()))
    }
}

/// What the command may do. It is read and compiled before the root is switched: the files are the caller's.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The policy.
    pub choice: Choice,
    /// What is refused whatever the policy says.
    pub denied: Vec<Denied>,
}

/// A program that the kernel is to run before each system call.
#[derive(Debug)]
pub struct Filter {
    program: Vec<Instruction>,
    flags: u32,
}

/// What stands behind a filter.
#[derive(Debug)]
enum Policy {
    /// Rules of our own, or that we can read.
    Rules(Profile),
    /// A program, and what is refused before it.
    Program(Vec<Instruction>, Profile),
}

impl Request {
    /// The filter, when one was asked for. `capabilities` gives those that the command can have, its bounding set.
    /// Errors: a file that cannot be read or does not make sense.
    pub fn prepare(&self, capabilities: impl FnOnce() -> CapabilitySet) -> Result<Option<Filter>> {
        match self {
            Request { choice: Choice::None, denied } if denied.is_empty() => Ok(None),
            _ => Filter::new(self.policy(capabilities())?).map(Some),
        }
    }

    /// What [`Request::prepare`] makes of it, in words, a line each.
    pub fn explain(&self, capabilities: CapabilitySet) -> Result<Vec<String>> {
        let policy = self.policy(capabilities)?;
        let mut lines = match &policy {
            Policy::Rules(profile) => explain::profile(machine::THIS, profile),
            Policy::Program(program, denied) => explain::program(machine::THIS, program, denied),
        };
        lines.push(format!("{} instructions", Filter::new(policy)?.program.len()));
        Ok(lines)
    }

    fn policy(&self, capabilities: CapabilitySet) -> Result<Policy> {
        Ok(match &self.choice {
            Choice::None => Policy::Rules(self.completed(Profile::new(Action::Allow))),
            Choice::Default => Policy::Rules(self.completed(default::profile(machine::THIS, capabilities))),
            Choice::File(path) => {
                let bytes = read(path)?;
                let policy = if json::is_json(&bytes) {
                    json::profile(machine::THIS, &bytes, capabilities)
                        .map(|profile| Policy::Rules(self.completed(profile)))
                } else {
                    let denials = self.completed(Profile::new(Action::Allow));
                    filter::program(&bytes).map(|program| Policy::Program(program, denials))
                };
                policy.map_err(|reason| Error::new(useless(path), reason))?
            }
        })
    }

    /// The policy with what is denied before all else, and what follows from it all for 32-bit programs.
    fn completed(&self, mut profile: Profile) -> Profile {
        profile.first.splice(..0, self.denied.iter().flat_map(|denied| denied.0.iter().cloned()));
        if profile.compat {
            compile::multiplex(machine::THIS, &mut profile.first);
            compile::multiplex(machine::THIS, &mut profile.rules);
        }
        profile
    }
}

/// What starts a program once the filter is there.
const START: &str = "execve";

impl Filter {
    /// Errors: a filter under which nothing could start; more instructions than the kernel takes.
    fn new(policy: Policy) -> Result<Self> {
        let (Policy::Rules(profile) | Policy::Program(_, profile)) = &policy;
        let unfit = |reason: String| Err(Error::new("make the seccomp filter", reason));
        if machine::THIS.find(START).is_some_and(|call| profile.refuses(call)) {
            return unfit(format!("it would refuse {START}, so that no command could start"));
        }
        let flags = profile.flags;
        let program = match policy {
            Policy::Rules(profile) => compile::compile(machine::THIS, &profile),
            Policy::Program(program, denied) if denied.first.is_empty() => program,
            Policy::Program(program, denied) => compile::compile_before(machine::THIS, &denied, &program),
        };
        match program.len() {
            0..=filter::LONGEST => Ok(Filter { program, flags }),
            length => {
                unfit(format!("it takes {length} instructions, the kernel accepts {}", filter::LONGEST))
            }
        }
    }

    /// Writes it to a file from which `--seccomp FILE` reads it.
    pub fn save(&self, file: &Path) -> Result<()> {
        let saved = check(file).and_then(|()| replace(file, &filter::bytes(&self.program)));
        saved.cannot_with(|| format!("write the seccomp filter to {}", show(file)))
    }

    /// Holds this process, and what it becomes, to the filter. The caller has set no_new_privs or has CAP_SYS_ADMIN.
    pub fn load(&self) -> Result<()> {
        set_filter(&self.program, self.flags).cannot("load the seccomp filter")
    }
}

/// More than any filter needs: what is longer is not one.
const LARGEST: u64 = 4 << 20;

fn read(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).cannot_with(|| useless(path))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).cannot_with(|| useless(path))?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::new(useless(path), "it is larger than 4 MiB"));
    }
    Ok(bytes)
}

fn useless(path: &Path) -> String {
    format!("use {} as a seccomp filter", show(path))
}
