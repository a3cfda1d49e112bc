//! What is seen of the table on a terminal.

use super::sample::Row;
use super::table::{COLUMNS, Column, label, percent};
use super::{Sort, Wish};
use crate::vocabulary::size;

/// Lines above the rows.
pub const HEAD: usize = 3;

/// The least of a name that is worth a line.
const NAME: usize = 16;

/// How wide a bar becomes at most.
const BAR: usize = 20;

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
            frame.push(format!("{}{}", pad(&label(row), name), cells.collect::<String>()));
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
    use super::super::table::arrange;
    use super::super::table::tests::rows;
    use super::*;
    use std::time::Duration;

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
