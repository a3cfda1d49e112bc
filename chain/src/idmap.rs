//! User and group id maps of a user namespace: user_namespaces(7), "User and group ID mappings".

use crate::accounts;
use crate::error::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::{Pid, getegid, geteuid};
use std::fs;
use std::io;
use std::process::{Command, Stdio};
use std::str::FromStr;

/// The two kinds of ids; all that differs between them.
#[derive(Debug)]
pub struct Ids {
    /// "user" or "group", for messages.
    pub name: &'static str,
    file: &'static str,
    helper: &'static str,
    subids: &'static str,
    /// Where their names stand.
    pub database: &'static str,
    own: fn() -> u32,
}

/// User ids.
pub const USERS: Ids = Ids {
    name: "user",
    file: "uid_map",
    helper: "newuidmap",
    subids: "/etc/subuid",
    database: "/etc/passwd",
    own: || geteuid().as_raw(),
};
/// Group ids.
pub const GROUPS: Ids = Ids {
    name: "group",
    file: "gid_map",
    helper: "newgidmap",
    subids: "/etc/subgid",
    database: "/etc/group",
    own: || getegid().as_raw(),
};

/// A run of consecutive ids: `inner` in the new namespace is `outer` in the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// First id inside.
    pub inner: u32,
    /// First id outside.
    pub outer: u32,
    /// How many.
    pub count: u32,
}

/// What was asked for with `--map-users` or `--map-groups`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `INNER:OUTER:COUNT`, or util-linux's older `OUTER,INNER,COUNT`.
    Extent(Extent),
    /// `auto`: the caller's first delegated range, from 0 on.
    Auto,
    /// `subids`: each delegated range as it is.
    Subids,
    /// `all`: every id that the caller's own namespace has.
    All,
}

impl FromStr for Request {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Request::Auto),
            "subids" => Ok(Request::Subids),
            "all" => Ok(Request::All),
            _ => extent(text).map(Request::Extent),
        }
    }
}

fn extent(text: &str) -> Result<Extent, String> {
    let numbers =
        |separator| text.split(separator).map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>();
    let extent = match (numbers(':').as_deref(), numbers(',').as_deref()) {
        (Some(&[inner, outer, count]), _) | (_, Some(&[outer, inner, count])) => {
            Extent { inner, outer, count }
        }
        _ => return Err("it is INNER:OUTER:COUNT, `auto`, `subids` or `all`".to_owned()),
    };
    let last = extent.inner.max(extent.outer).checked_add(extent.count);
    match last {
        _ if extent.count == 0 => Err("it maps no id: COUNT is 0".to_owned()),
        None => Err("it goes past the last id, 4294967294".to_owned()),
        Some(_) => Ok(extent),
    }
}

/// A complete map, as it is written to `/proc/PID/uid_map`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map(Vec<Extent>);

impl Map {
    /// Puts the requests together: `single` is the one id that stands for the caller (`-r`, `-c`). It wins over a
    /// range that has the same inner id; the range then closes up around it and loses its topmost id.
    ///
    /// Fails when a delegated range is asked for and the caller has none, or when two ranges overlap.
    pub fn resolve(ids: &Ids, single: Option<Extent>, requests: &[Request]) -> Result<Option<Map>> {
        let mut extents = Vec::new();
        for request in requests {
            extents.extend(request.extents(ids)?);
        }
        if let Some(single) = single {
            extents = extents.into_iter().flat_map(|extent| around(extent, single.inner)).collect();
            extents.insert(0, single);
        }
        disjoint(ids, &extents)?;
        Ok(if extents.is_empty() { None } else { Some(Map(extents)) })
    }

    /// Writes the map of process `pid`, which has just entered a new user namespace, from a process that is
    /// still in the parent namespace.
    ///
    /// Without the right to set any id the kernel takes one id, the writer's own (for groups only once
    /// setgroups(2) is given up); anything more goes through newuidmap(1) or newgidmap(1).
    pub fn write(&self, ids: &Ids, pid: Pid) -> Result<()> {
        let file = format!("/proc/{pid}/{}", ids.file);
        match (fs::write(&file, self.text("\n")), self.is_own(ids)) {
            (Err(e), true) if is_denied(&e) && ids.file == "gid_map" => {
                give_up_setgroups(pid)?;
                fs::write(&file, self.text("\n"))
            }
            (Err(e), false) if is_denied(&e) => return self.delegate(ids, pid),
            (result, _) => result,
        }
        .cannot_with(|| self.what(ids))
        .map_err(|e| e.hint_if(Errno::EPERM, refusal()))
    }

    /// The same without the help of other programs.
    pub fn write_directly(&self, ids: &Ids, pid: Pid) -> Result<()> {
        let file = format!("/proc/{pid}/{}", ids.file);
        fs::write(file, self.text("\n"))
            .cannot_with(|| self.what(ids))
            .map_err(|e| e.hint_if(Errno::EPERM, refusal()))
    }

    fn what(&self, ids: &Ids) -> String {
        format!("map {} ids as {}", ids.name, self.text("; ").trim_end_matches("; "))
    }

    fn is_own(&self, ids: &Ids) -> bool {
        matches!(self.0[..], [Extent { outer, count: 1, .. }] if outer == (ids.own)())
    }

    fn text(&self, end: &str) -> String {
        self.0.iter().map(|e| format!("{} {} {}{end}", e.inner, e.outer, e.count)).collect()
    }

    fn delegate(&self, ids: &Ids, pid: Pid) -> Result<()> {
        let numbers = self.text(" ");
        let output = Command::new(ids.helper)
            .arg(pid.to_string())
            .args(numbers.split_whitespace())
            .stdin(Stdio::null())
            .output()
            .cannot_with(|| format!("run {}", ids.helper))
            .map_err(|e| e.hint("mapping more than your own id needs root, or the package uidmap"))?;
        if output.status.success() {
            return Ok(());
        }
        let why = String::from_utf8_lossy(&output.stderr);
        Err(Error::new(format_args!("map {} ids", ids.name), why.lines().next().unwrap_or(ids.helper))
            .hint(format_args!("the ranges that you may map stand in {}", ids.subids)))
    }
}

impl Request {
    fn extents(&self, ids: &Ids) -> Result<Vec<Extent>> {
        match self {
            Request::Extent(extent) => Ok(vec![*extent]),
            Request::All => Ok(own_extents(ids)?),
            Request::Subids => Ok(accounts::delegated(ids.subids)?
                .iter()
                .map(|&(first, count)| same(first, count))
                .collect()),
            Request::Auto => {
                let (outer, count) = accounts::delegated(ids.subids)?[0];
                Ok(vec![Extent { inner: 0, outer, count }])
            }
        }
    }
}

fn same(first: u32, count: u32) -> Extent {
    Extent { inner: first, outer: first, count }
}

/// The ids that this process's namespace has: the first and third column of its own map.
fn own_extents(ids: &Ids) -> Result<Vec<Extent>> {
    let text = fs::read_to_string(format!("/proc/self/{}", ids.file)).cannot("read the own id map")?;
    let extent = |line: &str| {
        let numbers: Vec<u32> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        Some(same(*numbers.first()?, *numbers.get(2)?))
    };
    Ok(text.lines().filter_map(extent).collect())
}

fn around(extent: Extent, hole: u32) -> Vec<Extent> {
    let Extent { inner, outer, count } = extent;
    if hole < inner || hole - inner >= count {
        return vec![extent];
    }
    let below = hole - inner;
    let halves = [
        Extent { inner, outer, count: below },
        Extent { inner: inner + below + 1, outer: outer + below, count: count - below - 1 },
    ];
    halves.into_iter().filter(|half| half.count > 0).collect()
}

/// The kernel would say EINVAL without telling which.
fn disjoint(ids: &Ids, extents: &[Extent]) -> Result<()> {
    let overlap = |a: u32, b: u32, (m, n): (u32, u32)| a < b.saturating_add(n) && b < a.saturating_add(m);
    for (i, a) in extents.iter().enumerate() {
        for b in &extents[i + 1..] {
            let counts = (a.count, b.count);
            if overlap(a.inner, b.inner, counts) || overlap(a.outer, b.outer, counts) {
                let text = |e: &Extent| format!("{}:{}:{}", e.inner, e.outer, e.count);
                let why = format!("{} and {} overlap", text(a), text(b));
                return Err(Error::new(format_args!("map {} ids", ids.name), why));
            }
        }
    }
    Ok(())
}

/// Takes setgroups(2) away from the user namespace of `pid`, before its group map is written.
pub fn give_up_setgroups(pid: Pid) -> Result<()> {
    fs::write(format!("/proc/{pid}/setgroups"), "deny").cannot("give up setgroups in the new user namespace")
}

fn is_denied(e: &io::Error) -> bool {
    e.raw_os_error() == Some(Errno::EPERM as i32)
}

fn refusal() -> &'static str {
    let restricted = fs::read_to_string("/proc/sys/kernel/apparmor_restrict_unprivileged_userns");
    match restricted.as_deref().map(str::trim) {
        Ok("1") => {
            "AppArmor takes the rights in new user namespaces away; as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give the program a profile with `userns`"
        }
        _ => "without root only your own id can be mapped, and only an id that you have yourself",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e(inner: u32, outer: u32, count: u32) -> Extent {
        Extent { inner, outer, count }
    }

    #[test]
    fn requests_are_read_in_both_orders() {
        assert_eq!("0:100000:5".parse(), Ok(Request::Extent(e(0, 100_000, 5))));
        assert_eq!("100000,0,5".parse(), Ok(Request::Extent(e(0, 100_000, 5))));
        assert_eq!("auto".parse(), Ok(Request::Auto));
        for bad in ["", "1", "1:2", "1:2:3:4", "a:b:c", "0:0:0", "4294967295:0:1", "0:4294967290:9", "-1:0:1"]
        {
            assert!(bad.parse::<Request>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_single_id_opens_a_hole_and_the_range_closes_up() {
        let own = geteuid().as_raw();
        let map = |single: Option<u32>, extents: &[Extent]| {
            let requests: Vec<_> = extents.iter().map(|e| Request::Extent(*e)).collect();
            let single = single.map(|inner| e(inner, own, 1));
            Map::resolve(&USERS, single, &requests).unwrap().unwrap().0
        };
        assert_eq!(map(Some(0), &[e(0, 100_000, 5)]), [e(0, own, 1), e(1, 100_000, 4)]);
        assert_eq!(map(Some(2), &[e(0, 100_000, 5)]), [e(2, own, 1), e(0, 100_000, 2), e(3, 100_002, 2)]);
        assert_eq!(map(Some(9), &[e(0, 100_000, 5)]), [e(9, own, 1), e(0, 100_000, 5)]);
        assert_eq!(map(None, &[e(0, 100_000, 5)]), [e(0, 100_000, 5)]);
        assert_eq!(Map::resolve(&USERS, None, &[]), Ok(None));
    }

    #[test]
    fn overlaps_are_named() {
        let requests = [Request::Extent(e(0, 100, 10)), Request::Extent(e(10, 105, 10))];
        let error = Map::resolve(&USERS, None, &requests).unwrap_err().to_string();
        assert_eq!(error, "cannot map user ids: 0:100:10 and 10:105:10 overlap");
    }
}
