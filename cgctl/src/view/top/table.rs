//! The table as text.

use super::Sort;
use super::sample::Row;
use crate::view::branches::Branches;
use crate::vocabulary::size;
use chain::text::show;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// For a bar: used, and limit.
pub type Share = fn(&Row) -> Option<(u64, u64)>;

/// A column beside the name, and how much it matters: the least goes first where there is no room.
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Its width.
    pub width: usize,
    /// 1 matters most.
    pub rank: u8,
    /// The text for a group.
    pub cell: fn(&Row) -> String,
    /// What a bar is drawn of; `None` for text.
    pub bar: Option<Share>,
}

/// All of them, in their order.
pub const COLUMNS: [Column; 6] = [
    Column { title: "CPU%", width: 6, rank: 1, cell: cpu, bar: None },
    Column {
        title: "OF LIMIT",
        width: 8,
        rank: 5,
        cell: nothing,
        bar: Some(|row| row.cpu.zip(row.cpu_limit)),
    },
    Column { title: "MEMORY", width: 13, rank: 2, cell: memory, bar: None },
    Column {
        title: "OF LIMIT",
        width: 8,
        rank: 4,
        cell: nothing,
        bar: Some(|row| row.memory.zip(row.memory_limit)),
    },
    Column { title: "PIDS", width: 9, rank: 3, cell: pids, bar: None },
    Column { title: "IO/S", width: 7, rank: 6, cell: io, bar: None },
];

/// The name with what else is to be known first.
pub fn label(row: &Row) -> String {
    format!("{}{}", row.shown, if row.frozen { " (frozen)" } else { "" })
}

fn nothing(_: &Row) -> String {
    String::new()
}

fn cpu(row: &Row) -> String {
    row.cpu.map_or("-".to_owned(), percent)
}

/// Thousandths as a percentage.
pub fn percent(thousandths: u64) -> String {
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

fn memory(row: &Row) -> String {
    of_limit(row.memory, row.memory_limit, 13, size::show)
}

fn pids(row: &Row) -> String {
    // Where they are not counted, there are at least those that are seen.
    of_limit(row.pids.or(Some(row.processes as u64)), row.pids_limit, 9, |count| count.to_string())
}

fn of_limit(used: Option<u64>, limit: Option<u64>, width: usize, show: fn(u64) -> String) -> String {
    let Some(used) = used.map(show) else { return "-".to_owned() };
    let both = limit.map(|limit| format!("{used}/{}", show(limit)));
    both.filter(|both| both.len() <= width).unwrap_or(used)
}

fn io(row: &Row) -> String {
    row.io.map_or("-".to_owned(), size::show)
}

/// Sorts the rows, the largest first, and gives them the names to show: in a tree each group is under the one that
/// it is in.
pub fn arrange(mut rows: Vec<Row>, sort: Sort, is_tree: bool) -> Vec<Row> {
    let amount = |row: &Row| match sort {
        Sort::Cpu => row.cpu,
        Sort::Memory => row.memory,
        Sort::Io => row.io,
        Sort::Pids => row.pids.or(Some(row.processes as u64)),
        Sort::Name => None,
    };
    rows.sort_by(|a, b| Reverse(amount(a)).cmp(&Reverse(amount(b))).then_with(|| a.path.cmp(&b.path)));
    if !is_tree {
        return rows;
    }
    let mut arranged = Vec::with_capacity(rows.len());
    add_below(None, &by_group_around(&rows), &Branches::new(), &mut arranged);
    arranged
}

/// Rows by the nearest group around them that has a row too.
type Inside<'a> = BTreeMap<Option<&'a Path>, Vec<&'a Row>>;

fn by_group_around(rows: &[Row]) -> Inside<'_> {
    let paths: BTreeSet<&Path> = rows.iter().map(|row| row.path.as_path()).collect();
    let mut inside = Inside::new();
    for row in rows {
        let around = row.path.ancestors().skip(1).find(|path| paths.contains(path));
        inside.entry(around).or_default().push(row);
    }
    inside
}

fn add_below(around: Option<&Path>, all: &Inside<'_>, branches: &Branches, arranged: &mut Vec<Row>) {
    let inside = all.get(&around).map(Vec::as_slice).unwrap_or_default();
    for (index, row) in inside.iter().enumerate() {
        let is_last = index + 1 == inside.len();
        let (start, next) = match around {
            None => (String::new(), branches.clone()),
            Some(_) => (branches.start(is_last), branches.inside(is_last)),
        };
        let name = around.and_then(|around| row.path.strip_prefix(around).ok()).unwrap_or(&row.path);
        arranged.push(Row { shown: format!("{start}{}", show(name)), ..(*row).clone() });
        add_below(Some(&row.path), all, &next, arranged);
    }
}

/// For a script: names as long as they are, and no bars.
pub fn plain(rows: &[Row]) -> String {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.bar.is_none()).collect();
    let width = rows.iter().map(|row| label(row).chars().count()).max().unwrap_or(0).max(4);
    let mut text = line("NAME", width, &columns, |column| column.title.to_owned());
    for row in rows {
        text += &line(&label(row), width, &columns, |column| (column.cell)(row));
    }
    text
}

fn line(name: &str, width: usize, columns: &[&Column], cell: impl Fn(&Column) -> String) -> String {
    let cells: String =
        columns.iter().map(|column| format!(" {:>width$}", cell(column), width = column.width)).collect();
    format!("{name:width$}{cells}\n")
}

/// An object for each group.
pub fn json(rows: &[Row]) -> String {
    let object = |row: &Row| {
        json!({
            "group": row.path.to_string_lossy(),
            "processes": row.processes,
            "frozen": row.frozen,
            "cpu_percent": row.cpu.map(|cpu| cpu as f64 / 10.0),
            "cpu_limit_percent": row.cpu_limit.map(|limit| limit as f64 / 10.0),
            "memory": row.memory,
            "memory_limit": row.memory_limit,
            "pids": row.pids,
            "pids_limit": row.pids_limit,
            "io_bytes_per_second": row.io,
        })
    };
    rows.iter().map(|row| format!("{}\n", object(row))).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn rows() -> Vec<Row> {
        let row = |path: &str, cpu, memory| Row {
            path: path.into(),
            shown: path.to_owned(),
            cpu: Some(cpu),
            cpu_limit: Some(500),
            memory: Some(memory),
            memory_limit: Some(64 << 20),
            ..Row::default()
        };
        vec![row("a", 10, 3 << 20), row("a/b", 500, 1 << 20), row("c", 20, 2 << 20)]
    }

    fn names(sort: Sort, is_tree: bool) -> Vec<String> {
        arrange(rows(), sort, is_tree).into_iter().map(|row| row.path.display().to_string()).collect()
    }

    #[test]
    fn rows_are_sorted_among_those_of_one_group() {
        assert_eq!(names(Sort::Cpu, false), ["a/b", "c", "a"]);
        assert_eq!(names(Sort::Memory, false), ["a", "c", "a/b"]);
        assert_eq!(names(Sort::Name, false), ["a", "a/b", "c"]);
        assert_eq!(names(Sort::Cpu, true), ["c", "a", "a/b"]);
    }
}
