//! `netns monitor`: tells names as they come and go.

use crate::names::{self, DIRECTORY, State};
use crate::output::print;
use chain::text::escape;
use chain::{Cannot, Result};
use nix::errno::Errno;
use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;

/// For how long a new file may be waited for to become a name.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSES: usize = 250;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object per line: event and name
    #[arg(long)]
    json: bool,
}

/// Prints `add NAME` and `delete NAME` until it is killed. An added name can be used when it is told.
pub fn run(options: &Options) -> Result<u8> {
    match names::prepare() {
        // Who may not make names may watch those of others.
        Err(e) if !Path::new(DIRECTORY).exists() => return Err(e),
        _ => {}
    }
    let what = || format!("watch {DIRECTORY}");
    let watch = init(CreateFlags::CLOEXEC).cannot_with(what)?;
    // A name that is given or taken in another mount namespace is one of the same directory.
    add_watch(&watch, DIRECTORY, WatchFlags::CREATE | WatchFlags::DELETE).cannot_with(what)?;
    let mut known: BTreeSet<String> = names::live()?.into_iter().map(|(name, _)| name).collect();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(watch, &mut buffer);
    loop {
        let name = match events.next() {
            Err(rustix::io::Errno::INTR) => continue,
            event => event.cannot_with(what)?.file_name().map(|name| name.to_string_lossy().into_owned()),
        };
        // Without a name it tells that events were lost: what there is counts.
        match name {
            Some(name) => look_at(&name, &mut known, options.json)?,
            None => look_around(&mut known, options.json)?,
        }
    }
}

fn look_around(known: &mut BTreeSet<String>, json: bool) -> Result<()> {
    let live = names::live()?.into_iter().map(|(name, _)| name);
    let all: BTreeSet<String> = live.chain(known.iter().cloned()).collect();
    all.iter().try_for_each(|name| look_at(name, known, json))
}

fn look_at(name: &str, known: &mut BTreeSet<String>, json: bool) -> Result<()> {
    let is_live = is_live(&Path::new(DIRECTORY).join(name))?;
    match (is_live, known.contains(name)) {
        (true, false) => {
            known.insert(name.to_owned());
            tell("add", name, json)
        }
        (false, true) => {
            known.remove(name);
            tell("delete", name, json)
        }
        _ => Ok(()),
    }
}

/// A file is there a moment before the namespace is bound on it.
fn is_live(file: &Path) -> Result<bool> {
    for _ in 0..PAUSES {
        match names::look(file) {
            Ok(State::Live(_)) => return Ok(true),
            Ok(State::Stale) => std::thread::sleep(PAUSE),
            Ok(State::Absent | State::InTheWay) => return Ok(false),
            Err(e) if e.errno() == Some(Errno::ENOENT) => return Ok(false),
            Err(e) => return Err(e),
        }
    }
    Ok(false)
}

fn tell(event: &str, name: &str, json: bool) -> Result<()> {
    print([match json {
        true => serde_json::json!({ "event": event, "name": name }).to_string(),
        false => format!("{event} {}", escape(name)),
    }])
}
