//! Programs that a test makes, to be run.
//!
//! Not by this process: what another test starts meanwhile has the file open for writing until it has become its own
//! program, and as long as anybody has, nobody can run it (ETXTBSY).

use std::io::{Seek, Write};
use std::path::Path;
use std::process::Command;

/// Copies a program, with its permission bits.
#[track_caller]
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    run(Command::new("cp").args(["-T", "--preserve=mode"]).arg(from.as_ref()).arg(to.as_ref()));
}

/// The same for a directory and all that is in it.
#[track_caller]
pub fn copy_tree(from: impl AsRef<Path>, to: impl AsRef<Path>) {
    run(Command::new("cp").args(["-RT", "--preserve=mode"]).arg(from.as_ref()).arg(to.as_ref()));
}

/// Writes a program, whose permission bits are the caller's affair.
#[track_caller]
pub fn write(path: &Path, content: &[u8]) {
    let mut input = tempfile::tempfile().unwrap();
    input.write_all(content).and_then(|()| input.rewind()).unwrap();
    run(Command::new("sh").args(["-c", "exec cat >\"$0\""]).arg(path).stdin(input));
}

#[track_caller]
fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}
