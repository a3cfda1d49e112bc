//! `cgctl get`: the limits of a group, in the words that set them.

use crate::cli::Named;
use crate::existing::{Group, read};
use crate::hierarchy::Hierarchies;
use crate::verbs::print;
use crate::vocabulary::keys::{self, Key};
use crate::vocabulary::setting::{is_file, vocabulary};
use crate::vocabulary::value::{self, Value};
use chain::text::show;
use chain::{Error, Result};

/// Show the limits of a group
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Tell them as one JSON object
    #[arg(long)]
    json: bool,

    /// Keys, or files of the kernel (default: every key that the group has); the value of one alone is printed bare
    #[arg(value_name = "KEY")]
    keys: Vec<String>,
}

/// What a key had to say.
struct Found {
    name: String,
    /// The lines of its value.
    lines: Vec<String>,
    json: serde_json::Value,
}

/// Prints them.
pub fn run(options: &Options) -> Result<u8> {
    for key in &options.keys {
        if keys::find(key).is_none() && !is_file(key) {
            return Err(
                Error::new(format_args!("get {}", show(key)), "there is no such key").hint(vocabulary())
            );
        }
    }
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    let found = if options.keys.is_empty() {
        let values = read::all_values(&group, &all);
        values.iter().map(|(named, values)| of_values(named.to_string(), named.key(), values)).collect()
    } else {
        options.keys.iter().map(|key| one(&group, key, &all)).collect::<Result<Vec<_>>>()?
    };
    let text = match (options.json, &found[..]) {
        (true, found) => json(&options.group.name.to_string_lossy(), found),
        (false, [one]) if options.keys.len() == 1 => {
            one.lines.iter().map(|line| format!("{line}\n")).collect()
        }
        (false, many) => many.iter().flat_map(words).collect(),
    };
    print(text.as_bytes())?;
    Ok(0)
}

fn one(group: &Group, key: &str, all: &Hierarchies) -> Result<Found> {
    match keys::find(key) {
        Some((row, named)) => Ok(of_values(key.to_owned(), row, &read::values(group, &named, all)?)),
        None => {
            let text = read::raw(group, key, all)?;
            let text = text.strip_suffix('\n').unwrap_or(&text);
            Ok(Found {
                name: key.to_owned(),
                lines: text.lines().map(str::to_owned).collect(),
                json: text.into(),
            })
        }
    }
}

fn of_values(name: String, key: &Key, values: &[Value]) -> Found {
    let lines = values.iter().map(|value| value::text(value, key.unit)).collect();
    let mut objects = values.iter().map(|value| value::json(value, key.unit));
    let json = match key.name {
        keys::IO => objects.collect::<Vec<_>>().into(),
        _ => objects.next().unwrap_or_default(),
    };
    Found { name, lines, json }
}

/// `KEY=VALUE`, a line for each line of the value: what `cgctl set` takes.
fn words(found: &Found) -> Vec<String> {
    found.lines.iter().map(|line| format!("{}={line}\n", found.name)).collect()
}

fn json(group: &str, found: &[Found]) -> String {
    let mut object = serde_json::Map::new();
    object.insert("group".to_owned(), group.into());
    object.extend(found.iter().map(|found| (found.name.clone(), found.json.clone())));
    format!("{}\n", serde_json::Value::from(object))
}
