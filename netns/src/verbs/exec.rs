//! `netns exec`: a command in a named namespace.

use crate::name::Name;
use crate::names;
use crate::refused;
use crate::view;
use chain::Result;
use nix::errno::Errno;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::ffi::OsString;
use std::os::fd::AsFd;

/// What it takes.
///
/// The command gets a private mount namespace, with a /sys that shows the network of the
/// namespace, and with the files of /etc/netns/NAME in place of those of /etc.
#[derive(clap::Args, Debug)]
#[command(override_usage = "netns exec NAME COMMAND [ARG]...", verbatim_doc_comment)]
pub struct Options {
    /// The namespace
    name: Name,
    /// What to run, and its arguments
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command; returns only to say why not.
pub fn run(options: &Options) -> Result<u8> {
    enter(&options.name)?;
    Err(chain::exec::exec(&options.command))
}

fn enter(name: &Name) -> Result<()> {
    let namespace = names::open_namespace(name)?;
    move_into_thread_name_spaces(namespace.as_fd(), ThreadNameSpaceType::NETWORK)
        .map_err(|errno| refused::enter(name, Errno::from_raw(errno.raw_os_error())))?;
    view::refresh(name)
}
