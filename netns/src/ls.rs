//! `netns ls`: the names.

use crate::names::{self, DIRECTORY, State};
use chain::text::escape;
use chain::{Cannot, Result};
use std::io::{self, Write};
use std::path::Path;

/// Prints the names of live namespaces, sorted; what is no namespace is left out.
pub fn run(json: bool) -> Result<()> {
    let mut out = String::new();
    for (name, inode) in live(Path::new(DIRECTORY))? {
        out += &match json {
            true => serde_json::json!({ "name": name, "inode": inode }).to_string(),
            false => escape(&name),
        };
        out.push('\n');
    }
    let mut stdout = io::stdout();
    stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()).cannot("write the list")
}

fn live(directory: &Path) -> Result<Vec<(String, u64)>> {
    let what = || format!("read {DIRECTORY}");
    let entries = match std::fs::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.cannot_with(what)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.cannot_with(what)?;
        if let State::Live(inode) = names::look(&entry.path())? {
            names.push((entry.file_name().to_string_lossy().into_owned(), inode));
        }
    }
    names.sort_unstable();
    Ok(names)
}
