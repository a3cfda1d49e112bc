//! `netns ls`: the names.

use crate::names;
use crate::netlink::{Route, nsids};
use crate::output::print;
use chain::Result;
use chain::text::escape;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object per line: name, inode and, where one is set, id
    #[arg(long)]
    json: bool,
}

/// Prints the names of live namespaces, sorted; what is no namespace is left out.
pub fn run(options: &Options) -> Result<u8> {
    let names = names::live()?;
    let mut lines = Vec::with_capacity(names.len());
    let mut route = None;
    for (name, inode) in names {
        let id = id(&mut route, &name);
        lines.push(match options.json {
            true => json(&name, inode, id),
            false => text(&name, id),
        });
    }
    print(lines).map(|()| 0)
}

/// The number that `netns set` gave it; none where it cannot be asked for, or has gone meanwhile.
fn id(route: &mut Option<Route>, name: &str) -> Option<i32> {
    let namespace = names::open_file(name).ok()?;
    if route.is_none() {
        *route = Some(Route::open().ok()?);
    }
    nsids::find(route.as_mut()?, &namespace).ok()?
}

fn json(name: &str, inode: u64, id: Option<i32>) -> String {
    let mut object = serde_json::json!({ "name": name, "inode": inode });
    if let Some(id) = id {
        object["id"] = id.into();
    }
    object.to_string()
}

fn text(name: &str, id: Option<i32>) -> String {
    match id {
        Some(id) => format!("{} (id: {id})", escape(name)),
        None => escape(name),
    }
}
