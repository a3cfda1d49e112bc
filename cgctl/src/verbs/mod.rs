//! What the user can say: a file for each verb, with its options.

pub mod exec;
pub mod gc;
pub mod get;
pub mod info;
pub mod new;
pub mod set;

use chain::{Cannot, Result};
use std::io::Write;

/// Writes what was asked for to standard output.
pub fn print(text: &[u8]) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text).and_then(|()| out.flush()).cannot("write to standard output")
}
