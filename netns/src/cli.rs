//! The verbs and their options.

use crate::name::Name;
use std::ffi::OsString;

/// Name network namespaces, and run commands in named or in new ones
///
/// Names are shared with `ip netns`.
#[derive(clap::Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What there is to do.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Make a network namespace with a name, its loopback interface up
    Add {
        /// The new name
        name: Name,
    },
    /// Remove names; a namespace is gone when no process is left in it
    #[command(alias = "delete")]
    Del {
        /// The names to remove
        #[arg(required = true, value_name = "NAME")]
        names: Vec<Name>,
    },
    /// List the names
    #[command(alias = "list")]
    Ls {
        /// One JSON object per line: name and inode
        #[arg(long)]
        json: bool,
    },
    /// Become a command in a named network namespace
    ///
    /// It gets a private mount namespace, with a /sys that shows the network of the
    /// namespace, and with the files of /etc/netns/NAME in place of those of /etc.
    #[command(override_usage = "netns exec NAME COMMAND [ARG]...", verbatim_doc_comment)]
    Exec {
        /// The namespace
        name: Name,
        /// What to run, and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Become a command in a new network namespace, which goes when its last process does
    #[command(override_usage = "netns new -- COMMAND [ARG]...")]
    New {
        #[arg(hide = true)]
        before: Option<OsString>,
        /// What to run, and its arguments
        #[arg(last = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
}
