//! What is to be done, as plain data: nothing here changes anything.

use crate::cli::Options;
use crate::confine::policy::Policy;
use crate::environment::Given;
use crate::explain::Form;
use crate::{defaults, namespace};
use chain::text::show;
use chain::{Error, Result};
use rustix::stdio::stdin;
use rustix::termios::isatty;
use std::ffi::OsString;
use std::path::PathBuf;

/// A run of the program, all options understood.
#[derive(Debug)]
pub struct Plan {
    /// The directory that becomes the root.
    pub root: PathBuf,
    /// The root is made read-only.
    pub read_only: bool,
    /// What is mounted in it, in order.
    pub mounts: Vec<Mount>,
    /// Where the command starts, when not in `/`.
    pub directory: Option<PathBuf>,
    /// What is taken from the command.
    pub policy: Policy,
    /// What it then becomes.
    pub command: Program,
    /// Nothing of that is done: it is told.
    pub explain: Option<Form>,
}

/// The next program.
#[derive(Debug)]
pub struct Program {
    /// Its name and arguments, never empty.
    pub line: Vec<OsString>,
    /// Its own name, when that is another.
    pub argv0: Option<OsString>,
    /// Its variables.
    pub given: Given,
    /// It is told its directory in PWD.
    pub pwd: bool,
    /// The descriptors above 2 that it may have.
    pub keep: Vec<u32>,
}

/// Something that is to appear in the root.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The path relative to the root.
    pub target: PathBuf,
    /// How that path is looked up.
    pub lookup: Lookup,
    /// What appears there.
    pub source: Source,
}

/// How a path of the root is looked up. Neither way can lead out of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// As a program in the root would see it, symbolic links and all.
    Followed,
    /// A symbolic link is refused: for what the root file system must have no say in.
    Plain,
}

/// What can be mounted.
#[derive(Debug, Clone)]
pub enum Source {
    /// A directory or file of the old root, with all that is mounted in it.
    Bind {
        /// Its path.
        source: PathBuf,
        /// It is made read-only, recursively.
        read_only: bool,
    },
    /// A new empty file system in memory.
    Tmpfs,
    /// A minimal /dev.
    Dev,
    /// This pid namespace's /proc, masked.
    Proc,
    /// A read-only /sys, masked.
    Sys,
}

impl Mount {
    /// A mount that the user asked for.
    pub fn new(target: PathBuf, source: Source) -> Self {
        Mount { target, lookup: Lookup::Followed, source }
    }
}

impl Plan {
    /// Understands the options. Errors: a command or a directory that cannot be meant.
    pub fn new(options: Options) -> Result<Self> {
        let policy = options.policy;
        let terminal = || policy.pty || isatty(stdin());
        let given = options.variables.resolve(policy.confine, terminal)?;
        let pwd = !given.is_clear && !given.names("PWD");
        let mut line = options.operands.into_iter();
        let root = line.next().ok_or_else(no_root)?.into();
        let mut mounts = if options.bare { Vec::new() } else { default_mounts(&options.mounts.0) };
        mounts.extend(options.mounts.0);
        let (line, argv0, keep) = (command(line.collect())?, options.argv0, options.keep_fd);
        let command = Program { line, argv0, given, pwd, keep };
        let (read_only, directory, explain) = (options.ro, options.chdir, options.explain);
        Ok(Plan { root, read_only, mounts, directory, policy, command, explain })
    }
}

/// A mount of the user's own takes the place of the default on the same directory.
fn default_mounts(own: &[Mount]) -> Vec<Mount> {
    let wanted = |mount: &Mount| match mount.source {
        _ if own.iter().any(|other| other.target == mount.target) => false,
        Source::Proc => namespace::has_new_pids(),
        _ => true,
    };
    defaults::mounts().into_iter().filter(wanted).collect()
}

fn no_root() -> Error {
    Error::new("start", "ROOT is missing").hint("`pivot ./rootfs sh` runs a shell in ./rootfs")
}

fn command(mut line: Vec<OsString>) -> Result<Vec<OsString>> {
    if line.first().is_some_and(|first| first == "--") {
        line.remove(0);
    }
    match line.first() {
        None => Ok(vec![defaults::SHELL.into()]),
        Some(first) if first.as_encoded_bytes().starts_with(b"-") => {
            Err(Error::new(format_args!("run {}", show(first)), "a command is expected after ROOT")
                .hint("the options of pivot stand before ROOT"))
        }
        Some(_) => Ok(line),
    }
}
