//! `netns list-id`: the numbers of namespaces.

use crate::names;
use crate::netlink::Route;
use crate::netlink::nsids::{self, Nsid};
use crate::output::print;
use crate::words;
use chain::text::show;
use chain::{Error, Result};
use std::collections::BTreeMap;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(override_usage = "netns list-id [--json] [target-nsid N] [nsid N]")]
pub struct Options {
    /// One JSON object per line: nsid and, where they are known, current-nsid and name
    #[arg(long)]
    json: bool,
    /// `target-nsid N`: the numbers that the namespace with this number has for others;
    /// `nsid N`: this number only
    #[arg(value_name = "WORD", verbatim_doc_comment)]
    words: Vec<String>,
}

/// Prints the numbers that the namespace has for others, with their names, as `ip netns list-id` does.
pub fn run(options: &Options) -> Result<u8> {
    let [target, only] = words::values(&options.words, ["target-nsid", "nsid"])?;
    let [target, only] = [number(target)?, number(only)?];
    let mut route = Route::open()?;
    let ids = match only {
        Some(id) => {
            nsids::ids(&route.ask(nsids::get_id(format!("find the number {id}"), id, target))?).collect()
        }
        None => nsids::list(&mut route, target)?,
    };
    let names = names_by_id(&mut route)?;
    print(ids.iter().map(|id| line(options.json, id, names.get(&id.current.unwrap_or(id.id))))).map(|()| 0)
}

fn number(word: Option<&str>) -> Result<Option<i32>> {
    let parse = |word: &str| match word.parse() {
        Ok(number) if number >= 0 => Ok(number),
        _ => Err(Error::new(format_args!("take {} for a number", show(word)), "it is none from 0 on")),
    };
    word.map(parse).transpose()
}

/// What the names are, by the numbers that the connection's namespace has for them.
fn names_by_id(route: &mut Route) -> Result<BTreeMap<i32, String>> {
    let mut names = BTreeMap::new();
    for (name, _) in names::live()? {
        if let Some(id) = names::open_file(&name).ok().and_then(|file| nsids::find(route, &file).ok()?) {
            names.insert(id, name);
        }
    }
    Ok(names)
}

fn line(json: bool, Nsid { id, current }: &Nsid, name: Option<&String>) -> String {
    if json {
        let mut object = serde_json::json!({ "nsid": id });
        if let Some(current) = current {
            object["current-nsid"] = (*current).into();
        }
        if let Some(name) = name {
            object["name"] = name.as_str().into();
        }
        return object.to_string();
    }
    let current = current.map(|current| format!(" current-nsid {current}")).unwrap_or_default();
    let name = name.map(|name| format!(" (iproute2 netns name: {})", chain::text::escape(name)));
    format!("nsid {id}{current}{}", name.unwrap_or_default())
}
