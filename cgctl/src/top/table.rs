//! The table as text.

use super::sample::Row;
use super::{Sort, Wish};
use crate::branches::Branches;
use crate::size;
use chain::text::show;
use serde_json::json;
use std::cmp::Reverse;
use std::path::Path;

/// Lines above the rows.
pub const HEAD: usize = 3;

/// The least of a name that is worth a line.
const NAME: usize = 16;

/// How wide a bar becomes at most.
const BAR: usize = 20;

/// For a bar: used, and limit.
type Share = fn(&Row) -> Option<(u64, u64)>;

/// A column beside the name, and how much it matters: the least goes first where there is no room.
struct Column {
    title: &'static str,
    width: usize,
    rank: u8,
    cell: fn(&Row) -> String,
    bar: Option<Share>,
}

const COLUMNS: [Column; 6] = [
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

fn name(row: &Row) -> String {
    format!("{}{}", row.shown, if row.frozen { " (frozen)" } else { "" })
}

fn nothing(_: &Row) -> String {
    String::new()
}

fn cpu(row: &Row) -> String {
    row.cpu.map_or("-".to_owned(), percent)
}

/// Thousandths as a percentage.
fn percent(thousandths: u64) -> String {
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
    add_below(None, &rows, &Branches::new(), &mut arranged);
    arranged
}

fn add_below(around: Option<&Path>, rows: &[Row], branches: &Branches, arranged: &mut Vec<Row>) {
    let holder = |row: &Row| {
        row.path
            .ancestors()
            .skip(1)
            .find(|path| rows.iter().any(|other| other.path == *path))
            .map(Path::to_owned)
    };
    let mut inside: Vec<&Row> = rows.iter().filter(|row| holder(row).as_deref() == around).collect();
    let last = inside.pop();
    let each = inside.into_iter().map(|row| (row, false)).chain(last.map(|row| (row, true)));
    for (row, is_last) in each {
        let (start, next) = match around {
            None => (String::new(), branches.clone()),
            Some(_) => (branches.start(is_last), branches.inside(is_last)),
        };
        let name = show(
            around.map_or(row.path.as_path(), |around| row.path.strip_prefix(around).unwrap_or(&row.path)),
        );
        arranged.push(Row { shown: format!("{start}{name}"), ..row.clone() });
        add_below(Some(&row.path), rows, &next, arranged);
    }
}

/// For a script: names as long as they are, and no bars.
pub fn plain(rows: &[Row]) -> String {
    let columns: Vec<&Column> = COLUMNS.iter().filter(|column| column.bar.is_none()).collect();
    let width = rows.iter().map(|row| name(row).chars().count()).max().unwrap_or(0).max(4);
    let mut text = line("NAME", width, &columns, |column| column.title.to_owned());
    for row in rows {
        text += &line(&name(row), width, &columns, |column| (column.cell)(row));
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

/// A piece of the table, as large as the terminal.
#[derive(Debug)]
pub struct View {
    /// Its width.
    pub columns: usize,
    /// Its height.
    pub lines: usize,
    /// The first row that is seen.
    pub first: usize,
    /// What is shown, and how.
    pub wish: Wish,
    /// Bars have colours.
    pub colours: bool,
}

impl View {
    /// Its lines, each as wide as the terminal or less.
    pub fn frame(&self, rows: &[Row]) -> Vec<String> {
        let (columns, widths) = self.fitting();
        let taken: usize = widths.iter().map(|width| width + 1).sum();
        let name = self.columns.saturating_sub(taken);
        let mut head = pad("NAME", name);
        for (column, width) in columns.iter().zip(&widths) {
            head += &format!(" {:>width$}", column.title);
        }
        let mut frame = vec![cut(&summary(rows), self.columns), cut(&self.help(), self.columns)];
        frame.push(format!("\x1b[7m{}\x1b[m", cut(&head, self.columns)));
        let room = self.lines.saturating_sub(HEAD);
        for row in rows.iter().skip(self.first).take(room) {
            let cells = columns.iter().zip(&widths).map(|(column, width)| self.cell(column, *width, row));
            frame.push(format!("{}{}", pad(&self::name(row), name), cells.collect::<String>()));
        }
        frame.truncate(self.lines);
        frame
    }

    /// The columns that there is room for. What is left of it goes to the bars, then to the names.
    fn fitting(&self) -> (Vec<&'static Column>, Vec<usize>) {
        let mut columns: Vec<&Column> = COLUMNS.iter().collect();
        let taken = |columns: &[&Column]| columns.iter().map(|column| column.width + 1).sum::<usize>();
        while taken(&columns) + NAME > self.columns && columns.len() > 1 {
            let least = columns.iter().map(|column| column.rank).max();
            columns.retain(|column| Some(column.rank) != least);
        }
        let spare = self.columns.saturating_sub(80) / 3;
        let width = |column: &&Column| match column.bar {
            Some(_) => (column.width + spare).min(BAR),
            None => column.width,
        };
        let widths = columns.iter().map(width).collect();
        (columns, widths)
    }

    fn cell(&self, column: &Column, width: usize, row: &Row) -> String {
        match column.bar.map(|bar| bar(row)) {
            None => format!(" {:>width$}", (column.cell)(row)),
            Some(None) => format!(" {:width$}", ""),
            Some(Some((used, limit))) => format!(" {}", self.bar(used, limit, width)),
        }
    }

    fn bar(&self, used: u64, limit: u64, width: usize) -> String {
        let cells = width.saturating_sub(2);
        let part = |whole: usize| {
            let part = u128::from(used) * whole as u128 / u128::from(limit.max(1));
            usize::try_from(part).map_or(whole, |part| part.min(whole))
        };
        // What is used at all is seen.
        let full = part(cells).max(usize::from(part(100) > 0));
        let colour = match part(100) {
            90.. => "\x1b[31m",
            70.. => "\x1b[33m",
            _ => "\x1b[32m",
        };
        let (start, end) = if self.colours { (colour, "\x1b[m") } else { ("", "") };
        format!("[{start}{}{end}{}]", "|".repeat(full), " ".repeat(cells - full))
    }

    fn help(&self) -> String {
        let Wish { sort, is_tree, delay } = self.wish;
        let sort = match sort {
            Sort::Cpu => "cpu",
            Sort::Memory => "memory",
            Sort::Io => "io",
            Sort::Pids => "pids",
            Sort::Name => "name",
        };
        let form = if is_tree { "list" } else { "tree" };
        format!("q quit; c m i p n sort, by {sort}; t {form}; + - every {}s; j k scroll", delay.as_secs_f64())
    }
}

/// Of the groups that are in no other.
fn summary(rows: &[Row]) -> String {
    let outer = || rows.iter().filter(|row| !row.is_inside);
    let cpu = outer().filter_map(|row| row.cpu).sum::<u64>();
    let memory = outer().filter_map(|row| row.memory).sum::<u64>();
    let processes = outer().map(|row| row.processes).sum::<usize>();
    let count =
        |count: usize, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    format!(
        "cgctl top: {}, {}, cpu {}%, memory {}",
        count(rows.len(), "group", "groups"),
        count(processes, "process", "processes"),
        percent(cpu),
        size::show(memory)
    )
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// As wide as this, the end of what is too long left out.
fn pad(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true if width > 1 => format!("{}~", cut(text, width - 1)),
        true => cut(text, width),
        false => format!("{text:width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rows() -> Vec<Row> {
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

    fn frame(columns: usize, lines: usize) -> Vec<String> {
        let wish = Wish { sort: Sort::Cpu, is_tree: false, delay: Duration::from_secs(2) };
        View { columns, lines, first: 0, wish, colours: false }.frame(&arrange(rows(), Sort::Cpu, false))
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_frame_higher() {
        for columns in 1..200 {
            for lines in 1..8 {
                let frame = frame(columns, lines);
                assert!(frame.len() <= lines);
                for line in &frame {
                    let plain = line.replace("\x1b[7m", "").replace("\x1b[m", "");
                    assert!(plain.chars().count() <= columns.max(8), "{columns}: {plain:?}");
                }
            }
        }
    }

    #[test]
    fn bars_show_the_share_of_the_limit() {
        let frame = frame(80, 24);
        assert_eq!(
            frame[3],
            "a/b                       50.0 [||||||]        1M/64M [|     ]         0       -"
        );
        assert_eq!(frame[3].len(), 80);
        assert!(self::frame(40, 24)[3].ends_with("50.0        1M/64M"), "{:?}", self::frame(40, 24)[3]);
    }
}
