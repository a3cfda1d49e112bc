//! `--list`: the namespaces of a process beside the caller's own.

use crate::cli::Options;
use crate::doors::{is_asked_of_target, is_shared};
use crate::find;
use crate::target::Target;
use chain::ns::{self, Identity, Kind, NAMESPACES};
use chain::{Cannot, Error, Result};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

/// What is told of one kind.
struct Row {
    kind: Kind,
    target: u64,
    own: u64,
    same: bool,
    join: bool,
    /// User and group id map of the target, for a user namespace that differs: first inside, first outside, count.
    maps: Option<[Vec<[u32; 3]>; 2]>,
}

/// Prints the rows; kinds that the kernel does not have are left out.
pub fn print(options: &Options) -> Result<u8> {
    let Some(target) = find::target(options)? else {
        return Err(Error::new("list namespaces", "no process is given").hint("name one with -t PID"));
    };
    // Without any choice it is what -a would do.
    let chosen = NAMESPACES.iter().any(|row| options.namespace(row.kind).is_some());
    let rows: Vec<Row> = NAMESPACES
        .iter()
        .filter_map(|row| {
            Row::new(&target, row.kind, !chosen || is_asked_of_target(options, row.kind)).transpose()
        })
        .collect::<Result<_>>()?;
    target.check_alive()?;
    let text = if options.json { rows.iter().map(Row::json).collect() } else { table(&rows) };
    std::io::stdout().write_all(text.as_bytes()).cannot("write the list").map(|()| 0)
}

impl Row {
    fn new(target: &Target, kind: Kind, asked: bool) -> Result<Option<Row>> {
        let Some(theirs) = target.identity(kind)? else { return Ok(None) };
        let own: Identity = ns::identity("self", kind.row().file).cannot("look at the own namespaces")?;
        let differs = kind == Kind::User && own != theirs;
        Ok(Some(Row {
            kind,
            target: theirs.1,
            own: own.1,
            same: own == theirs,
            join: asked && !is_shared(kind, theirs)?,
            maps: if differs { Some([map(target, "uid_map")?, map(target, "gid_map")?]) } else { None },
        }))
    }

    fn json(&self) -> String {
        let mut object = json!({
            "kind": self.kind.row().name, "target": self.target, "own": self.own, "same": self.same, "join": self.join,
        });
        if let Some([users, groups]) = &self.maps {
            object["uid_map"] = Value::from_iter(users.iter().map(|line| line.to_vec()));
            object["gid_map"] = Value::from_iter(groups.iter().map(|line| line.to_vec()));
        }
        format!("{object}\n")
    }
}

/// The numbers on the outside are those of the caller's user namespace.
fn map(target: &Target, file: &str) -> Result<Vec<[u32; 3]>> {
    let text = String::from_utf8_lossy(&target.read(file)?).into_owned();
    let line = |line: &str| -> Option<[u32; 3]> {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().ok()
    };
    Ok(text.lines().filter_map(line).collect())
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<7} {:>10} {:>10} {:<7} JOIN\n", "KIND", "TARGET", "OWN", "IS");
    for row in rows {
        let (is, join) = (if row.same { "same" } else { "differs" }, if row.join { "yes" } else { "no" });
        let name = row.kind.row().name;
        let _ = writeln!(text, "{name:<7} {:>10} {:>10} {is:<7} {join}", row.target, row.own);
    }
    for [users, groups] in rows.iter().filter_map(|row| row.maps.as_ref()) {
        for (name, map) in [("uid", users), ("gid", groups)] {
            for [inner, outer, count] in map {
                let _ = writeln!(text, "{name} {inner} inside is {outer} outside, count {count}");
            }
        }
    }
    text
}
