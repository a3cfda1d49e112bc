//! What is to be done, as plain data: nothing here changes anything.

mod masks;
mod step;

use crate::cli::Options;
use crate::confine::policy::Policy;
use crate::environment::Given;
use crate::explain::Form;
use crate::layers::{self, Layers};
use crate::mount::idmap::IdMap;
use crate::{defaults, namespace};
use chain::ns::Kind;
use chain::resolver;
use chain::text::show;
use chain::{Error, Result};
use rustix::stdio::stdin;
use rustix::termios::isatty;
use std::ffi::OsString;
use std::path::PathBuf;

pub use masks::Masks;
pub use step::{Change, Edit, Lookup, Mount, MountOptions, Source, Step};

/// A run of the program, all options understood.
#[derive(Debug)]
pub struct Plan {
    /// What becomes the root.
    pub root: Base,
    /// How that is shown.
    pub look: Look,
    /// What is mounted and changed in it, in order.
    pub steps: Vec<Step>,
    /// What is then hidden.
    pub masks: Masks,
    /// The names of the machine.
    pub names: Names,
    /// Where the command starts, when not in `/`.
    pub directory: Option<PathBuf>,
    /// What is taken from the command.
    pub policy: Policy,
    /// What it then becomes.
    pub command: Program,
    /// Nothing of that is done: it is told.
    pub explain: Option<Form>,
}

/// How the root is shown.
#[derive(Debug, Default)]
pub struct Look {
    /// Read-only, with all that is mounted in it.
    pub read_only: bool,
    /// Device nodes have no effect in it, nor in what is bound into it.
    pub nodev: bool,
    /// How the owners of its files are shown.
    pub ids: Option<IdMap>,
    /// Its propagation type, when not private: one of [`chain::sys::mount`].
    pub propagation: Option<u64>,
}

/// The names that uname(2) tells, where they are to be others.
#[derive(Debug, Default)]
pub struct Names {
    /// The host name.
    pub host: Option<OsString>,
    /// The NIS domain name.
    pub domain: Option<OsString>,
}

/// What becomes the root.
#[derive(Debug)]
pub enum Base {
    /// A directory.
    Directory(PathBuf),
    /// Directories laid over one another.
    Layers(Layers),
}

/// The next program.
#[derive(Debug)]
pub struct Program {
    /// Its name and arguments, never empty.
    pub line: Vec<OsString>,
    /// No ROOT stands before it on the line.
    pub is_first: bool,
    /// Its own name, when that is another.
    pub argv0: Option<OsString>,
    /// Its variables.
    pub given: Given,
    /// It is told its directory in PWD.
    pub pwd: bool,
    /// The descriptors above 2 that it may have.
    pub keep: Vec<u32>,
}

impl Plan {
    /// The namespaces that the process is to have for itself besides its mounts: so that it renames no machine but its
    /// own, and so that its own control group is the root of all that it sees.
    pub fn namespaces(&self) -> Vec<Kind> {
        let is_cgroup = |step: &Step| matches!(step, Step::Mount(Mount { source: Source::Cgroup, .. }));
        let uts = (self.names.host.is_some() || self.names.domain.is_some()).then_some(Kind::Uts);
        let cgroup = self.steps.iter().any(is_cgroup).then_some(Kind::Cgroup);
        uts.into_iter().chain(cgroup).collect()
    }

    /// Understands the options. Errors: a command or a directory that cannot be meant.
    pub fn new(options: Options) -> Result<Self> {
        let policy = options.policy.0;
        let terminal = || policy.pty || isatty(stdin());
        let given = options.variables.0.resolve(policy.confine, terminal)?;
        let pwd = !given.is_clear && !given.names("PWD");
        let mut line = options.operands.into_iter();
        let root = match options.layers.stack(options.ro) {
            Some(layers) => Base::Layers(layers),
            None => Base::Directory(line.next().ok_or_else(no_root)?.into()),
        };
        let steps = steps(options.bare, layers::gather(options.mounts.0.0)?);
        let around = options.surroundings;
        let masks = Masks { hidden: around.mask, read_only: around.ro_path, off: unmasked(around.unmask)? };
        let look = Look {
            read_only: options.ro,
            nodev: policy.nodev(),
            ids: around.idmap,
            propagation: around.propagation,
        };
        let (line, argv0, keep) = (command(line.collect())?, options.argv0, options.keep_fd);
        let is_first = matches!(root, Base::Layers(_));
        Ok(Plan {
            root,
            look,
            steps,
            masks,
            names: Names { host: around.hostname, domain: around.domainname },
            directory: options.chdir,
            policy,
            command: Program { line, is_first, argv0, given, pwd, keep },
            explain: options.explain,
        })
    }
}

/// The defaults, then the user's own.
fn steps(bare: bool, own: Vec<Step>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    if !bare {
        steps.extend(default_mounts(&own).map(Step::Mount));
    }
    steps.extend(own);
    leave_out_of_dev(&mut steps);
    steps
}

/// A mount of the user's own takes the place of the default on the same directory.
fn default_mounts(own: &[Step]) -> impl Iterator<Item = Mount> {
    let wanted = |mount: &Mount| match mount.source {
        _ if own.iter().any(|step| step.mounts_on(&mount.target)) => false,
        Source::Proc => namespace::has_new_pids(),
        _ => true,
    };
    defaults::mounts().into_iter().chain(handed_on()).filter(wanted)
}

/// What a link before has made for host names to be resolved.
fn handed_on() -> impl Iterator<Item = Mount> {
    defaults::HANDED_ON.into_iter().filter_map(|(variable, target)| {
        let value = std::env::var_os(variable).filter(|value| !value.is_empty())?;
        Some(match resolver::is_text(&value) {
            true => Mount::new(target.into(), Source::Text(value), MountOptions::default()),
            false => Mount::read_only_file(value.into(), target),
        })
    })
}

/// The same for what a /dev has mounted in it.
fn leave_out_of_dev(steps: &mut [Step]) {
    for at in 0..steps.len() {
        let Step::Mount(Mount { target, source: Source::Dev { .. }, .. }) = &steps[at] else { continue };
        let has_own = |name: &&str| steps.iter().any(|step| step.mounts_on(&target.join(name)));
        let found = defaults::MOUNTS_OF_DEV.into_iter().filter(has_own).collect();
        if let Step::Mount(Mount { source: Source::Dev { without }, .. }) = &mut steps[at] {
            *without = found;
        }
    }
}

fn unmasked(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>> {
    match paths.iter().find(|path| !defaults::covers_below(path)) {
        None => Ok(paths),
        Some(path) => Err(Error::new(
            format_args!("unmask {}", show(path)),
            "nothing is hidden or read-only there by default",
        )),
    }
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
