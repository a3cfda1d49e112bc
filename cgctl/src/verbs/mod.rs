//! What the user can say: a file for each verb, with its options.

pub mod events;
pub mod exec;
pub mod freeze;
pub mod gc;
pub mod info;
pub mod kill;
pub mod ls;
pub mod r#move;
pub mod new;
pub mod pids;
pub mod rm;
pub mod stat;
pub mod top;
pub mod wait;

use chain::{Cannot, Result};
use std::io::Write;

/// Writes what was asked for to standard output.
pub fn print(text: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text).and_then(|()| out.flush()).cannot("write to standard output")
}
