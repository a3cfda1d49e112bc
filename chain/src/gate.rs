//! Where one process waits until the other has done its part.

use crate::error::{Cannot, Result};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};
use std::os::fd::OwnedFd;

/// An eventfd(2), shut when new. There is none where nobody has to wait.
#[derive(Debug)]
pub struct Gate(Option<OwnedFd>);

impl Gate {
    /// A shut gate, or an open doorway when it is not `needed`.
    pub fn new(needed: bool) -> Result<Self> {
        if !needed {
            return Ok(Gate(None));
        }
        eventfd(0, EventfdFlags::CLOEXEC).cannot("make an eventfd").map(|fd| Gate(Some(fd)))
    }

    /// Waits until the other side has opened it.
    pub fn wait(&self) -> Result<()> {
        match &self.0 {
            Some(fd) => read(fd, &mut [0; 8]).cannot("wait for the other process").map(drop),
            None => Ok(()),
        }
    }

    /// Lets the other side through.
    pub fn open(&self) -> Result<()> {
        match &self.0 {
            Some(fd) => write(fd, &1_u64.to_ne_bytes()).cannot("wake the other process").map(drop),
            None => Ok(()),
        }
    }
}
