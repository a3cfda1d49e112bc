//! What networks are, and which ports are published, is changed by one process at a time: so what it has found free
//! stays free, and what it finds half made or half removed has nobody left who would go on with it.

use crate::attach::hosts::DIRECTORY;
use crate::names::lock_directory;
use crate::own_run;
use chain::Result;
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// The turn, until it is dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "closing it ends the turn")] Option<OwnedFd>);

impl Turn {
    /// Waits for it. Root of a user namespace may not be able to write to /run, and then takes no turns.
    pub fn take() -> Result<Self> {
        match own_run::prepare(DIRECTORY) {
            Err(e) if matches!(e.errno(), Some(Errno::EACCES | Errno::EPERM | Errno::EROFS)) => {
                return Ok(Turn(None));
            }
            other => other?,
        }
        lock_directory(DIRECTORY).map(|fd| Turn(Some(fd)))
    }
}
