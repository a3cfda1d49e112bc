//! A new network namespace.

use crate::refused;
use chain::ns::{self, Kind};
use chain::sys::net::loopback_up;
use chain::sys::process::unshare;
use chain::{Cannot, Result};

/// Moves this process into a new network namespace, and sets its loopback interface up.
pub fn enter_new() -> Result<()> {
    enter()?;
    loopback_up().cannot("set the loopback interface up")
}

/// Moves this process into a new network namespace, as it comes.
pub fn enter() -> Result<()> {
    unshare(ns::flags([Kind::Net])).map_err(refused::create)
}
