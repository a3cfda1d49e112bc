//! `cgctl new`: a group for one command.

use crate::cli::Where;
use crate::command::job::{Job, JobOptions};
use crate::command::request::Request;
use crate::command::then::Then;
use crate::group::Group;
use crate::group::mark::Mark;
use crate::hierarchy::Hierarchies;
use crate::plan::{Plan, Present};
use chain::Result;
use chain::child::Parent;
use std::ffi::OsString;

/// Make a group; with a command, run it in there, and remove the group when it has ended
#[derive(clap::Args, Debug)]
#[command(after_help = KEYS, override_usage = USAGE)]
pub struct Options {
    /// Name of the group (run-PID when none is given), then its limits
    #[arg(value_name = "NAME|KEY=VALUE")]
    pub words: Vec<OsString>,

    #[command(flatten)]
    pub place: Where,

    #[command(flatten)]
    pub job: JobOptions,

    /// Make no group: do the rest alone, where no group can be had
    #[arg(long, requires = "command", conflicts_with_all = ["exec", "evacuate", "timeout", "die_with_parent"])]
    pub no_group: bool,

    /// Move processes that are in the way to a group cgctl.leaf inside the one they are in
    #[arg(long)]
    pub evacuate: bool,

    /// The command, always after --; without one, the group stays
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

const USAGE: &str = "\
cgctl new [OPTION]... [NAME] [KEY=VALUE]... -- COMMAND [ARG]...
       cgctl new [OPTION]... NAME [KEY=VALUE]...";

const KEYS: &str = "\
Keys:
  m=SIZE       memory: 64M, 1.5G, 64MiB, 64MB, 50% (of the machine's) or max; swap is off unless asked for
  swap=SIZE    swap in addition to m: a size, a share of the machine's swap, or max
  cpu=CORES    processor time: 0.5, 150% or max
  weight=N     share of the processor when it is wanted by others too: 1 to 10000, 100 is usual
  pids=N       processes and threads: 1 to 4194304, or max
  cpus=LIST    processors: 0-1,3 or all
  io=DEVICE:LIMIT=N,...
               traffic of a disk: rbps, wbps, riops, wiops
  FILE=VALUE   a file of the kernel, as in memory.high=50331648
`cgctl keys` lists them all.";

/// Makes the group, runs the command in it, removes it, and gives the status of the command. Without a command the
/// group stays, as it does with --exec.
pub fn run(options: Options) -> Result<u8> {
    let mut then = Then::new(&options.job);
    let result = make(options, &mut then);
    then.run(&result);
    result
}

fn make(options: Options, then: &mut Then) -> Result<u8> {
    let request = Request::read(options)?;
    let job = Job::prepare(request.job.clone())?;
    if request.no_group {
        let (parent, nowhere) = (Parent::prepare()?, Hierarchies(Vec::new()));
        return job.run(&parent, Group::none(&request), &nowhere, &request.command, then);
    }
    let hierarchies = Hierarchies::discover()?;
    let plan = Plan::new(&request.settings, Present::NEW, &hierarchies)?;
    if request.stays() {
        let group = Group::make(&plan, &request, &hierarchies)?;
        return match request.command.as_slice() {
            [] => group.keep(Mark::Stays).map(|()| 0),
            command => Err(job.exec(group, &hierarchies, command)),
        };
    }
    let parent = Parent::prepare()?;
    let mut group = Group::make(&plan, &request, &hierarchies)?;
    if job.needs_counters() {
        group.count(&request, &hierarchies);
    }
    job.run(&parent, group, &hierarchies, &request.command, then)
}
