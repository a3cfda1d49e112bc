//! The verbs and their options.

use std::ffi::OsString;

/// Control groups: limit a command, run it, clean up after it
#[derive(clap::Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is to be done.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    New(New),
    Gc(Gc),
    Info(Info),
}

/// Run a command in a new group, and remove the group when the command has ended
#[derive(clap::Args, Debug)]
#[command(after_help = KEYS, override_usage = "cgctl new [NAME] [KEY=VALUE]... -- COMMAND [ARG]...")]
pub struct New {
    /// Name of the group (run-PID when none is given), then its limits
    #[arg(value_name = "NAME|KEY=VALUE")]
    pub words: Vec<OsString>,

    /// The command, always after --
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Remove what a killed cgctl left behind, and end the processes in it
#[derive(clap::Args, Debug)]
pub struct Gc {
    /// Tell of each removed group as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
}

/// Show which hierarchies are mounted, what they can limit, and where groups are made
#[derive(clap::Args, Debug)]
pub struct Info {
    /// Tell it as one JSON object
    #[arg(long)]
    pub json: bool,
}

const KEYS: &str = "\
Keys:
  m=SIZE       memory: 64M, 1.5G, 64MiB, 64MB, 50% (of the machine's) or max; swap is off unless asked for
  swap=SIZE    swap in addition to m: a size, a share of the machine's swap, or max
  cpu=CORES    processor time: 0.5, 150% or max
  weight=N     share of the processor when it is wanted by others too: 1 to 10000, 100 is usual
  pids=N       processes and threads: 1 to 4194304, or max
  FILE=VALUE   a file of the kernel, as in memory.high=48M or cpuset.cpus=0-1";
