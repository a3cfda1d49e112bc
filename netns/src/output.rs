//! Reports: lines of text, or one JSON object on each line.

use chain::{Cannot, Result};
use std::fmt::Display;
use std::io::{self, Write};

/// Writes lines to standard output.
pub fn print(lines: impl IntoIterator<Item = impl Display>) -> Result<()> {
    let mut text = String::new();
    for line in lines {
        text += &line.to_string();
        text.push('\n');
    }
    let mut stdout = io::stdout();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).cannot("write the output")
}

/// Tells every error, and gives the exit status: one that is no reason to leave the others undone.
pub fn tell_all(results: impl Iterator<Item = Result<()>>) -> u8 {
    let tell = |status, result: Result<()>| result.map_or_else(|e| e.report(), |()| status);
    results.fold(0, tell)
}
