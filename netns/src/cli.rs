//! The verbs.

use crate::verbs::{add, del, exec, gc, ls, net, new};
use chain::Result;

/// Name network namespaces, connect them, and run commands in them
///
/// Names are shared with `ip netns`.
#[derive(clap::Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What there is to do: each verb with its own options.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Make network namespaces with names, their loopback interfaces up
    Add(add::Options),
    /// Remove names; a namespace is gone when no process is left in it
    #[command(alias = "delete")]
    Del(del::Options),
    /// List the names
    #[command(alias = "list")]
    Ls(ls::Options),
    /// Become a command in a named network namespace
    Exec(exec::Options),
    /// Become a command in a new network namespace, which goes when its last process does
    New(new::Options),
    /// Networks that namespaces can be in
    Net(net::Options),
    /// Take back the published ports and the names of what was killed
    Gc(gc::Options),
}

impl Verb {
    /// Does it, and gives the exit status.
    pub fn run(self) -> Result<u8> {
        match self {
            Verb::Add(options) => add::run(&options),
            Verb::Del(options) => del::run(&options),
            Verb::Ls(options) => ls::run(&options),
            Verb::Exec(options) => exec::run(&options),
            Verb::New(options) => new::run(&options),
            Verb::Gc(options) => gc::run(&options),
            Verb::Net(options) => net::run(&options),
        }
    }
}
