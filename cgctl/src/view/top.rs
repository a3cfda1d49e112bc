//! A table of groups that is drawn again and again.

pub mod sample;
mod screen;
mod table;
mod view;

use crate::hierarchy::Hierarchies;
use crate::hierarchy::parent::Parent;
use crate::verbs;
use chain::Result;
use sample::{Row, Sampler};
pub use screen::is_usable;
use screen::{Happening, Screen};
use std::time::{Duration, Instant};
use view::View;

/// By what the groups are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sort {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
    /// Bytes read and written.
    Io,
    /// Processes and threads.
    Pids,
    /// The name.
    Name,
}

/// What the user wants to see.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The order.
    pub sort: Sort,
    /// Each group under the one that it is in.
    pub is_tree: bool,
    /// How often.
    pub delay: Duration,
}

/// The first look is soon followed by another: what is used up per second needs two.
const FIRST: Duration = Duration::from_millis(300);

/// The steps of the keys + and -.
const DELAYS: [Duration; 7] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// Prints `count` tables, or as many as there is time for, each after `delay`.
pub fn print(wish: Wish, count: Option<u64>, json: bool, parent: &Parent, all: &Hierarchies) -> Result<()> {
    let mut sampler = Sampler::new(parent, all);
    sampler.look();
    let mut printed = 0;
    while count.is_none_or(|count| printed < count) {
        std::thread::sleep(wish.delay);
        let rows = table::arrange(sampler.look(), wish.sort, wish.is_tree);
        let text = if json { table::json(&rows) } else { table::plain(&rows) };
        let separator = if printed > 0 && !json { "\n" } else { "" };
        verbs::print(format!("{separator}{text}").as_bytes())?;
        printed += 1;
    }
    Ok(())
}

/// Shows it on the terminal, until the user has seen enough or `count` times.
pub fn show(wish: Wish, count: Option<u64>, parent: &Parent, all: &Hierarchies) -> Result<()> {
    let mut top = Top { wish, first: 0, sampler: Sampler::new(parent, all), rows: Vec::new() };
    let mut screen = Screen::open()?;
    top.rows = top.sampler.look();
    let (mut shown, mut next) = (0, Instant::now() + FIRST.min(wish.delay));
    loop {
        top.draw(&mut screen)?;
        match screen.wait(next) {
            Happening::Nothing if count.is_some_and(|count| shown >= count) => return Ok(()),
            Happening::Nothing => {
                top.rows = top.sampler.look();
                next = Instant::now() + top.wish.delay;
                shown += 1;
            }
            Happening::Key('q') => return Ok(()),
            Happening::Key(' ') => next = Instant::now(),
            Happening::Key(key) => {
                if top.key(key) {
                    next = Instant::now() + top.wish.delay;
                }
            }
            Happening::Resize => {}
            Happening::Signal(signal) => {
                drop(screen);
                return Err(screen::end_by(signal));
            }
        }
    }
}

struct Top<'a> {
    wish: Wish,
    /// How many rows have been scrolled away.
    first: usize,
    sampler: Sampler<'a>,
    rows: Vec<Row>,
}

impl Top<'_> {
    fn draw(&mut self, screen: &mut Screen) -> Result<()> {
        let (columns, lines) = screen.size();
        let rows = table::arrange(self.rows.clone(), self.wish.sort, self.wish.is_tree);
        self.first = self.first.min(rows.len().saturating_sub(lines.saturating_sub(view::HEAD)));
        let view = View { columns, lines, first: self.first, wish: self.wish, colours: screen.has_colours };
        screen.draw(&view.frame(&rows))
    }

    /// Whether the time until the next look has changed.
    fn key(&mut self, key: char) -> bool {
        let page = 10;
        match key {
            'c' => self.wish.sort = Sort::Cpu,
            'm' => self.wish.sort = Sort::Memory,
            'i' => self.wish.sort = Sort::Io,
            'p' => self.wish.sort = Sort::Pids,
            'n' => self.wish.sort = Sort::Name,
            't' => self.wish.is_tree = !self.wish.is_tree,
            'j' => self.first += 1,
            'k' => self.first = self.first.saturating_sub(1),
            'J' => self.first += page,
            'K' => self.first = self.first.saturating_sub(page),
            '+' => return self.set_delay(DELAYS.iter().find(|delay| **delay > self.wish.delay)),
            '-' => return self.set_delay(DELAYS.iter().rev().find(|delay| **delay < self.wish.delay)),
            _ => {}
        }
        false
    }

    fn set_delay(&mut self, delay: Option<&Duration>) -> bool {
        self.wish.delay = delay.copied().unwrap_or(self.wish.delay);
        delay.is_some()
    }
}
