//! A group that is there is removed from every hierarchy. Killed halfway, it leaves what `gc` takes for an orphan.

use crate::existing::Group;
use crate::group::mark::{self, Mark};
use crate::group::{Directory, lock};
use crate::hierarchy::patience::Patience;
use crate::hierarchy::place::{DIRECTORY, is_transient};
use crate::hierarchy::{Version, file, tree};
use chain::process::Status;
use chain::text::show;
use chain::{Error, Result};
use rustix::fs::CWD;
use rustix::io::Errno;
use std::path::Path;
use std::time::Duration;

/// How long somebody else who is removing it is waited for, and a v1 hierarchy that does not let go at once.
const LIMIT: Duration = Duration::from_secs(5);

/// What is done about processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// They are a reason not to remove the group.
    IfEmpty,
    /// They are ended.
    Kill,
}

/// Whose it is.
enum Owner {
    /// Ours now.
    Us,
    /// Nobody's: it has gone.
    Gone,
    /// That of a cgctl that lives.
    Another,
}

/// Removes it with the groups inside it. That it goes meanwhile is as good.
pub fn remove(group: &Group, how: How) -> Result<()> {
    group.check_without_us("remove")?;
    let patience = &mut Patience::of(LIMIT);
    loop {
        match how {
            How::IfEmpty => check_empty(group)?,
            How::Kill => group.kill()?,
        }
        match take(group) {
            Some(ours) => return remove_ours(group, &ours, how),
            // Without its command, a cgctl removes its group, or lets go of the groups around it.
            None if how == How::Kill && patience.pause() => {}
            None => return Err(in_use(group)),
        }
    }
}

fn remove_ours(group: &Group, ours: &[&Directory], how: How) -> Result<()> {
    let kept = ours.iter().map(|directory| (directory, mark::get(directory)));
    let kept: Vec<_> = kept.filter_map(|(directory, mark)| Some((directory, mark?))).collect();
    for directory in ours {
        // A kernel without marks has no groups that stay.
        let _ = mark::set(directory, Mark::Goes);
    }
    let removed = match how {
        How::IfEmpty => Ok(()),
        How::Kill => group.kill(),
    }
    .and_then(|()| clear(group, ours, how));
    if removed.is_err() && how == How::IfEmpty {
        for (directory, mark) in kept.into_iter().rev() {
            let _ = mark::set(directory, mark);
        }
    }
    removed
}

/// The one that tracks the group comes first: it is marked first, and removed last.
fn in_order(group: &Group) -> impl Iterator<Item = &Directory> {
    let tracking = group.tracking();
    let others = group.parts.iter().map(|part| &part.directory).filter(|other| other.path != tracking.path);
    std::iter::once(tracking).chain(others)
}

fn clear(group: &Group, ours: &[&Directory], how: How) -> Result<()> {
    let patience = &mut Patience::of(LIMIT);
    for directory in ours.iter().rev() {
        let removed = match how {
            How::IfEmpty => tree::clear(directory, patience)
                .and_then(|()| tree::remove(CWD, &directory.path, patience))
                .map_err(|errno| cannot(group, directory, errno)),
            How::Kill => directory.end(),
        };
        // A process that came meanwhile is told rather than the kernel's "busy".
        removed.or_else(|e| check_empty(group).and(Err(e)))?;
        tidy(&directory.path);
    }
    Ok(())
}

fn cannot(group: &Group, directory: &Directory, errno: Errno) -> Error {
    match errno {
        Errno::BUSY if directory.version == Version::V1 => {
            let why = format!("{} is busy, though no process is seen in it", show(&directory.path));
            Error::new(format_args!("remove group {}", group.name), why)
                .hint("cgroup v1 does not show those of another pid namespace")
        }
        errno => file::cannot(format_args!("remove {}", show(&directory.path)), errno),
    }
}

/// The directory of groups goes when it is empty.
fn tidy(group: &Path) {
    if let Some(base) = group.parent().filter(|base| base.file_name().is_some_and(|name| name == DIRECTORY)) {
        let _ = std::fs::remove_dir(base);
    }
}

fn check_empty(group: &Group) -> Result<()> {
    let processes = group.processes();
    let what = format!("remove group {}", group.name);
    let hint = "`cgctl rm --kill` ends them";
    match processes.iter().find(|pid| **pid > 0) {
        None if processes.is_empty() => Ok(()),
        None => Err(Error::new(what, "a process of another pid namespace is in it").hint(hint)),
        Some(pid) => {
            let status = Status::read(&pid.to_string());
            let name = status.as_ref().ok().and_then(|status| status.field("Name")).unwrap_or("?");
            let more = if processes.len() > 1 {
                format!(", and {} more", processes.len() - 1)
            } else {
                String::new()
            };
            Err(Error::new(what, format_args!("process {pid} ({name}) is in it{more}")).hint(hint))
        }
    }
}

/// Takes all directories that are still in their places, as [`gc`](crate::group::gc) does with an orphan: another group may
/// have come to where one has gone. `None` when a cgctl that lives has any.
fn take(group: &Group) -> Option<Vec<&Directory>> {
    let mut ours = Vec::new();
    for directory in in_order(group) {
        match take_one(directory) {
            Owner::Another => return None,
            Owner::Us => ours.push(directory),
            Owner::Gone => {}
        }
    }
    Some(ours)
}

fn take_one(directory: &Directory) -> Owner {
    let patience = &mut Patience::of(LIMIT);
    let (parent, name) = (directory.path.parent(), directory.path.file_name());
    let is_named = parent.and_then(Path::file_name).is_some_and(|holder| holder == DIRECTORY)
        && !name.is_some_and(is_transient);
    loop {
        // Between its making and its locking a group with a name is guarded by this one.
        let base = parent.filter(|_| is_named).and_then(|base| file::directory(base).ok());
        let is_guarded = base.as_ref().is_none_or(|base| lock::exclude(base).is_ok());
        if !lock::is_at(directory, CWD, &directory.path) {
            return Owner::Gone;
        }
        if is_guarded && lock::take(directory) {
            // Tells those who want the name to wait.
            if is_named {
                lock::take_part(directory);
            }
            return Owner::Us;
        }
        let is_leaving = lock::take_part(directory);
        lock::free(directory);
        drop(base);
        if !is_leaving || !patience.pause() {
            return Owner::Another;
        }
    }
}

fn in_use(group: &Group) -> Error {
    let holders = in_order(group).flat_map(lock::holders).find(|pid| *pid > 0);
    let who = holders.map_or("another cgctl".to_owned(), |pid| format!("process {pid}"));
    Error::new(format_args!("remove group {}", group.name), format_args!("it is in use by {who}"))
        .hint("it goes when that one has ended")
}
