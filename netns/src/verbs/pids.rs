//! `netns pids`: the processes in a namespace.

use crate::name::Name;
use crate::names;
use crate::output::print;
use crate::survey::find::{command, has_threads, numbers};
use chain::ns::{self, Kind};
use chain::{Cannot, Result};
use rustix::fs::fstat;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object per line: pid and command
    #[arg(long)]
    json: bool,
    /// The namespace
    name: Name,
}

/// Prints the number of each process that has a thread in the namespace, in order.
pub fn run(options: &Options) -> Result<u8> {
    let namespace = names::open_namespace(&options.name)?;
    let stat = fstat(&namespace).cannot_with(|| format!("look at {}", options.name))?;
    let pids = of((stat.st_dev, stat.st_ino))?;
    print(pids.into_iter().map(|pid| match options.json {
        true => serde_json::json!({ "pid": pid, "command": command(pid) }).to_string(),
        false => pid.to_string(),
    }))
    .map(|()| 0)
}

/// The processes in the network namespace, as far as we may look: ptrace(2), "Ptrace access mode checking".
pub fn of(namespace: ns::Identity) -> Result<Vec<u32>> {
    let file = Kind::Net.row().file;
    let is_in = |task: &str| ns::identity(task, file).is_ok_and(|identity| identity == namespace);
    let mut pids: Vec<u32> = numbers("/proc").cannot("read /proc")?;
    pids.retain(|pid| {
        let others = || numbers(&format!("/proc/{pid}/task")).unwrap_or_default();
        is_in(&pid.to_string())
            || has_threads(*pid) && others().iter().any(|tid| is_in(&format!("{pid}/task/{tid}")))
    });
    pids.sort_unstable();
    Ok(pids)
}
