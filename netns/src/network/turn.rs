//! Making, mending and removing of networks is one process's at a time, so that whoever has the turn knows that a
//! network which is only half there has nobody left who would go on with it.

use crate::attach::hosts::DIRECTORY;
use chain::{Cannot, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;

/// The turn, until it is dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "closing it ends the turn")] Option<OwnedFd>);

impl Turn {
    /// Waits for it. Root of a user namespace may not be able to write to /run, and then takes no turns.
    pub fn take() -> Result<Self> {
        match fs::create_dir_all(DIRECTORY) {
            Err(e) if [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem].contains(&e.kind()) => {
                return Ok(Turn(None));
            }
            other => other.cannot_with(|| format!("make {DIRECTORY}"))?,
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = open(DIRECTORY, flags, Mode::empty()).cannot_with(|| format!("open {DIRECTORY}"))?;
        flock(&fd, FlockOperation::LockExclusive).cannot_with(|| format!("lock {DIRECTORY}"))?;
        Ok(Turn(Some(fd)))
    }
}
