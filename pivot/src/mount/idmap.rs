//! Owners of files shown as others: mount_setattr(2), "ID-mapped mounts".

use chain::idmap::{Extent, GROUPS, Ids, Map, Request, USERS};
use chain::ns::Kind;
use chain::sys::mount::map_ids;
use chain::sys::ns::flag_of;
use chain::sys::process::{Fork, clone3};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::io::{read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Which owner is shown as which: as user namespaces say it, the file system being the inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdMap {
    /// As the user namespace of this file does.
    Namespace(PathBuf),
    /// So.
    Extents {
        /// Users.
        users: Vec<Request>,
        /// Groups.
        groups: Vec<Request>,
    },
}

/// `INSIDE:OUTSIDE:COUNT`, several of them joined by `+`, each for users (`u:` before it), groups (`g:`) or both; or
/// the path of a user namespace, which has a slash.
pub fn parse(text: &OsStr) -> Result<IdMap, String> {
    match text.to_str() {
        _ if text.as_encoded_bytes().contains(&b'/') => Ok(IdMap::Namespace(text.into())),
        Some(text) => extents(text),
        None => Err(SYNTAX.to_owned()),
    }
}

const SYNTAX: &str = "MAP is INSIDE:OUTSIDE:COUNT, more of them after a +, or the path of a user namespace";

fn extents(text: &str) -> Result<IdMap, String> {
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for part in text.split('+') {
        let (for_users, for_groups, numbers) = match (part.strip_prefix("u:"), part.strip_prefix("g:")) {
            (Some(numbers), _) => (true, false, numbers),
            (_, Some(numbers)) => (false, true, numbers),
            _ => (true, true, part),
        };
        let request = Request::Extent(extent(numbers)?);
        users.extend(for_users.then(|| request.clone()));
        groups.extend(for_groups.then_some(request));
    }
    // Ids of a kind that is not spoken of stay as they are.
    for requests in [&mut users, &mut groups].into_iter().filter(|requests| requests.is_empty()) {
        requests.push(Request::All);
    }
    Ok(IdMap::Extents { users, groups })
}

fn extent(text: &str) -> Result<Extent, String> {
    match text.parse() {
        Ok(Request::Extent(extent)) if text.contains(':') => Ok(extent),
        Err(why) if text.split(':').filter(|number| number.parse::<u32>().is_ok()).count() == 3 => Err(why),
        _ => Err(SYNTAX.to_owned()),
    }
}

/// Shows the owners of what `tree` shows, with `recursive` also of what is mounted in it, as `map` says. The tree must
/// not have appeared yet; `what` is what cannot be done otherwise.
pub fn apply(tree: impl AsFd, map: &IdMap, recursive: bool, what: &dyn Fn() -> String) -> Result<()> {
    let users = namespace(map)?;
    map_ids(tree.as_fd(), users.as_fd(), recursive).map_err(|errno| explain(map, errno, recursive, what()))
}

fn explain(map: &IdMap, errno: Errno, recursive: bool, what: String) -> Error {
    match (errno, map) {
        (Errno::EINVAL, _) if recursive => {
            Error::new(what, "its file system, or one that is mounted in it, cannot map ids")
                .hint("in the options of a bind, norec leaves out what is mounted in it")
        }
        (Errno::EINVAL, _) => Error::new(what, "its file system cannot map ids"),
        (Errno::EPERM, IdMap::Namespace(path)) => Error::new(
            what,
            format_args!(
                "{} is the first user namespace, or the file system does not belong to that in use",
                show(path)
            ),
        ),
        (Errno::EPERM, _) => Error::new(
            what,
            "it needs root of the user namespace that the file system belongs to, and ids that are not mapped yet",
        ),
        _ => Error::os(what, errno),
    }
}

fn namespace(map: &IdMap) -> Result<OwnedFd> {
    match map {
        IdMap::Namespace(path) => of_file(path),
        IdMap::Extents { users, groups } => made(&[(&USERS, users), (&GROUPS, groups)]),
    }
}

fn of_file(path: &Path) -> Result<OwnedFd> {
    let what = || format!("map ids as {} does", show(path));
    let file = File::open(path).cannot_with(what)?;
    match flag_of(file.as_fd()) {
        Ok(flag) if flag == Kind::User.row().flag => Ok(file.into()),
        _ => Err(Error::new(what(), "it is not a user namespace")),
    }
}

/// A user namespace needs a process to be made and mapped; the descriptor keeps it then.
fn made(requests: &[(&Ids, &Vec<Request>)]) -> Result<OwnedFd> {
    let what = "make a user namespace for a map of ids";
    let maps = requests.iter().map(|(ids, requests)| Ok((*ids, Map::resolve(ids, None, requests)?)));
    let maps = maps.collect::<Result<Vec<_>>>()?;
    let (told, tell) = pipe_with(PipeFlags::CLOEXEC).cannot(what)?;
    let (done, work) = pipe_with(PipeFlags::CLOEXEC).cannot(what)?;
    match clone3(Kind::User.row().flag, None).cannot(what).map_err(no_namespace)? {
        Fork::Child => {
            drop((told, work));
            stay(tell, &done)
        }
        Fork::Parent(pid) => {
            drop((tell, done));
            let opened = map_and_open(&told, maps, what);
            let _ = kill(pid, Signal::SIGKILL);
            let _ = waitpid(pid, None);
            opened
        }
    }
}

/// Tells its pid as /proc has it, which may belong to a pid namespace further out, and is there until it is killed or
/// the other process has ended.
fn stay(tell: OwnedFd, done: &OwnedFd) -> ! {
    if let Ok(name) = std::fs::read_link("/proc/self") {
        let _ = write(&tell, name.as_os_str().as_encoded_bytes());
    }
    drop(tell);
    let _ = read(done, &mut [0; 1]);
    std::process::exit(0)
}

fn map_and_open(told: &OwnedFd, maps: Vec<(&Ids, Option<Map>)>, what: &str) -> Result<OwnedFd> {
    let mut name = [0; 16];
    let length = read(told, &mut name).cannot(what)?;
    let pid = std::str::from_utf8(&name[..length]).ok().and_then(|name| name.parse().ok());
    let pid = Pid::from_raw(pid.ok_or_else(|| Error::new(what, "there is no /proc here"))?);
    for (ids, map) in maps {
        map.map_or(Ok(()), |map| map.write_directly(ids, pid))?;
    }
    chain::ns::open(&pid.to_string(), Kind::User).cannot(what)
}

fn no_namespace(e: Error) -> Error {
    e.hint_if(Errno::ENOSPC, "/proc/sys/user/max_user_namespaces, here or further out, limits their number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e(inner: u32, outer: u32, count: u32) -> Request {
        Request::Extent(Extent { inner, outer, count })
    }

    #[test]
    fn a_map_is_for_users_and_groups_or_for_one_of_them() {
        let parsed = |text: &str| parse(OsStr::new(text));
        let both = vec![e(0, 1000, 1), e(1, 5, 2)];
        let extents = |users, groups| Ok(IdMap::Extents { users, groups });
        assert_eq!(parsed("0:1000:1+1:5:2"), extents(both.clone(), both));
        assert_eq!(parsed("u:0:1:2"), extents(vec![e(0, 1, 2)], vec![Request::All]));
        assert_eq!(parsed("g:0:1:2+u:3:4:5"), extents(vec![e(3, 4, 5)], vec![e(0, 1, 2)]));
        assert_eq!(parsed("/proc/1/ns/user"), Ok(IdMap::Namespace("/proc/1/ns/user".into())));
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for text in ["", "0", "0:1", "0:1:0", "0,1,2", "a:b:c", "x:0:1:2", "auto", "0:1:2+", "0:4294967295:2"]
        {
            assert!(parse(OsStr::new(text)).is_err(), "{text}");
        }
    }
}
