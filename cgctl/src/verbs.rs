//! What the user can say: a file for each verb, with its options.

pub mod delegate;
pub mod events;
pub mod exec;
pub mod freeze;
pub mod gc;
pub mod get;
pub mod info;
pub mod keys;
pub mod kill;
pub mod ls;
pub mod r#move;
pub mod new;
pub mod pids;
pub mod rm;
pub mod set;
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

/// Rows of cells in columns, the first row being the header.
pub fn table(rows: &[Vec<String>]) -> String {
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| chain::text::escape(cell)).collect()).collect();
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    cells.iter().map(line).collect()
}
