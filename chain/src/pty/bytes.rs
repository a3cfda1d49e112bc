//! Bytes on their way from one descriptor to another.

use rustix::io::{Result, read, write};
use std::os::fd::BorrowedFd;

/// Bytes moved at once: what a pipe that says it is writable takes without waiting.
pub const CHUNK: usize = 4096;

/// What has been read and is still to be written.
#[derive(Debug)]
pub struct Bytes {
    bytes: [u8; CHUNK],
    from: usize,
    to: usize,
}

impl Bytes {
    /// Nothing yet.
    pub fn none() -> Self {
        Bytes { bytes: [0; CHUNK], from: 0, to: 0 }
    }

    /// How many are still to be written.
    pub fn count(&self) -> usize {
        self.to - self.from
    }

    /// Whether all has been written.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// What is still to be written.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    /// Reads into it, when it is empty; how many.
    pub fn fill(&mut self, fd: BorrowedFd<'_>) -> Result<usize> {
        let got = read(fd, &mut self.bytes)?;
        (self.from, self.to) = (0, got);
        Ok(got)
    }

    /// Writes what it can from it.
    pub fn drain(&mut self, fd: BorrowedFd<'_>) -> Result<()> {
        self.from += write(fd, self.rest())?;
        Ok(())
    }
}
