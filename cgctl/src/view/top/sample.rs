//! What each group uses now: what is counted up tells it by the difference to the last look.

use crate::hierarchy::Hierarchies;
use crate::hierarchy::parent::Parent;
use crate::view::listing::{self, Which};
use crate::view::stat::{self, Stat};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// A group in the table. What is `None` is not counted here, or not known yet.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The name that leads to it.
    pub path: PathBuf,
    /// What is shown of its name, and what stands before that in a tree.
    pub shown: String,
    /// It stands inside another group of the table.
    pub is_inside: bool,
    /// Processes in it and below it.
    pub processes: usize,
    /// It is frozen.
    pub frozen: bool,
    /// Thousandths of a processor.
    pub cpu: Option<u64>,
    /// The most it may have of them.
    pub cpu_limit: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// The most it may have of them.
    pub memory_limit: Option<u64>,
    /// Processes and threads.
    pub pids: Option<u64>,
    /// The most it may have of them.
    pub pids_limit: Option<u64>,
    /// Bytes read and written per second.
    pub io: Option<u64>,
}

/// Looks again and again.
pub struct Sampler<'a> {
    parent: &'a Parent,
    all: &'a Hierarchies,
    last: BTreeMap<PathBuf, Counted>,
}

/// What a group had used up at some time.
struct Counted {
    when: Instant,
    cpu: Option<u64>,
    io: Option<u64>,
}

impl<'a> Sampler<'a> {
    /// Of the groups below this parent.
    pub fn new(parent: &'a Parent, all: &'a Hierarchies) -> Self {
        Sampler { parent, all, last: BTreeMap::new() }
    }

    /// Looks at all of them.
    pub fn look(&mut self) -> Vec<Row> {
        let groups = listing::below(self.parent, Which::All, self.all);
        let mut now = BTreeMap::new();
        let mut rows = Vec::new();
        for (path, group) in &groups {
            let stat = Stat::read(group, self.all);
            let counted = Counted {
                when: Instant::now(),
                cpu: stat.cpu.as_ref().and_then(|cpu| cpu.usage),
                io: stat.io.as_deref().map(stat::total),
            };
            let is_inside = path.ancestors().skip(1).any(|around| groups.contains_key(around));
            rows.push(row(path.clone(), is_inside, &stat, &counted, self.last.get(path)));
            now.insert(path.clone(), counted);
        }
        self.last = now;
        rows
    }
}

fn row(path: PathBuf, is_inside: bool, stat: &Stat, now: &Counted, before: Option<&Counted>) -> Row {
    let per_second = |now: Option<u64>, before: Option<u64>, when: Instant, unit: u64| {
        let passed = Instant::now().duration_since(when).as_micros().max(1);
        // A group of the same name that was made meanwhile has used less.
        let used = now?.checked_sub(before?)?;
        u64::try_from(u128::from(used) * u128::from(unit) / passed).ok()
    };
    let memory = stat.memory.as_ref();
    Row {
        shown: stat.group.clone(),
        path,
        is_inside,
        processes: stat.processes,
        frozen: stat.frozen,
        // Microseconds per microsecond, in thousandths.
        cpu: before.and_then(|before| per_second(now.cpu, before.cpu, before.when, 1000)),
        cpu_limit: stat.cpu.as_ref().and_then(|cpu| cpu.limit),
        memory: memory.and_then(|memory| memory.current),
        memory_limit: memory.and_then(|memory| memory.limit),
        pids: stat.pids.as_ref().map(|pids| pids.current),
        pids_limit: stat.pids.as_ref().and_then(|pids| pids.limit),
        io: before.and_then(|before| per_second(now.io, before.io, before.when, 1_000_000)),
    }
}
