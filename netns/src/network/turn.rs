//! What networks are, and which ports are published, is changed by one process at a time: so what it has found free
//! stays free, and what it finds half made or half removed has nobody left who would go on with it.

use crate::attach::hosts::DIRECTORY;
use crate::lock::{self, Lock};
use crate::own_run;
use chain::Result;

/// The turn, until it is dropped.
#[derive(Debug)]
pub struct Turn(#[expect(dead_code, reason = "dropping it ends the turn")] Lock);

impl Turn {
    /// Waits for it. Root of a user namespace may not be able to write to /run, and then takes no turns.
    pub fn take() -> Result<Self> {
        match own_run::prepare(DIRECTORY) {
            Err(e) if !lock::cannot_write(&e) => return Err(e),
            _ => {}
        }
        lock::networks().map(Turn)
    }
}
