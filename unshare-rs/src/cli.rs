//! The options.
use std::ffi::OsString;

/// Create namespaces, then run a command in them
#[derive(clap::Parser, Debug)]
#[command(version)]
pub struct Options {
    /// x
    #[arg(short, long, num_args = 0..=1, require_equals = true, value_name = "FILE")]
    pub mount: Option<Option<OsString>>,
    /// The command
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
