//! `cgctl keys`: the vocabulary, and what of it works here.

use crate::hierarchy::probe::{Verdict, Witness};
use crate::hierarchy::{Hierarchies, Version};
use crate::verbs::{print, table};
use crate::vocabulary::keys::{Absent, File, KEYS, Key, SIZE, Side};
use chain::Result;

/// List every key, the file of each version behind it, and whether it works on this machine
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Tell of each key as a JSON object on a line of its own
    #[arg(long)]
    json: bool,
}

/// Whether a key works here.
struct Row {
    key: &'static Key,
    verdict: Verdict,
    hierarchy: Option<String>,
}

/// Prints the table.
pub fn run(options: &Options) -> Result<u8> {
    let all = Hierarchies::discover()?;
    let witness = Witness::call(&all);
    let rows: Vec<Row> = KEYS.iter().map(|key| row(key, &witness, &all)).collect();
    let text = if options.json {
        rows.iter().map(|row| format!("{}\n", json(row))).collect()
    } else {
        let header = ["KEY", "HERE", "V2", "V1", "TAKES, OR WHY NOT"].map(str::to_owned).to_vec();
        table(&std::iter::once(header).chain(rows.iter().map(cells)).collect::<Vec<_>>())
    };
    print(text.as_bytes())?;
    Ok(0)
}

fn row(key: &'static Key, witness: &Witness, all: &Hierarchies) -> Row {
    match key.place(all) {
        Ok((index, file)) => {
            let hierarchy = all.0[index].mount.to_string_lossy().into_owned();
            Row { key, verdict: witness.ask(key, file, index), hierarchy: Some(hierarchy) }
        }
        Err(absent) => Row { key, verdict: Verdict::No(why(absent, all)), hierarchy: None },
    }
}

fn why(absent: Absent, all: &Hierarchies) -> String {
    let version = |index: usize| if all.0[index].version == Version::V1 { "v1" } else { "v2" };
    match absent {
        Absent::Controller(name) => match all.of(name) {
            Some(index) => format!("the {name} controller is in cgroup {} here", version(index)),
            None => absent.text(all),
        },
        other => other.text(all),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let (here, text) = match &row.verdict {
        Verdict::Yes => ("yes", row.key.takes.to_owned()),
        Verdict::No(why) => ("no", why.clone()),
        Verdict::Untried(why) => ("untried", format!("{}; {why}", row.key.takes)),
    };
    vec![row.key.name.to_owned(), here.to_owned(), name(&row.key.v2), name(&row.key.v1), text]
}

fn name(side: &Side) -> String {
    side.file().map_or("-", |file| file.name).to_owned()
}

fn json(row: &Row) -> serde_json::Value {
    let file = |side: &Side| side.file().map(|file: &File| file.name);
    let (here, why) = match &row.verdict {
        Verdict::Yes => (Some(true), None),
        Verdict::No(why) => (Some(false), Some(why)),
        Verdict::Untried(why) => (None, Some(why)),
    };
    serde_json::json!({
        "key": row.key.name,
        "alias": row.key.alias,
        "v2": file(&row.key.v2),
        "v1": file(&row.key.v1),
        "takes": row.key.takes,
        "needs": row.key.needs,
        "works": here,
        "why": why,
        "hierarchy": row.hierarchy,
        "sizes": row.key.name.ends_with(SIZE).then(crate::hierarchy::probe::page_sizes),
    })
}
