//! `netns exec`: a command in a named namespace.

use crate::name::Name;
use crate::names;
use crate::refused;
use crate::view;
use chain::{Error, Result};
use nix::errno::Errno;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::ffi::OsString;
use std::os::fd::AsFd;

/// Becomes the command; returns only to say why not.
pub fn run(name: &Name, command: &[OsString]) -> Error {
    enter(name).map_or_else(|e| e, |()| chain::exec::exec(command))
}

fn enter(name: &Name) -> Result<()> {
    let namespace = names::open_namespace(name)?;
    move_into_thread_name_spaces(namespace.as_fd(), ThreadNameSpaceType::NETWORK)
        .map_err(|errno| refused::enter(name, Errno::from_raw(errno.raw_os_error())))?;
    view::refresh(name)
}
