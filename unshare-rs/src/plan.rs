//! What the options come to, as plain data, checked before anything is done.

use crate::cli::{Options, Propagation};
use chain::idmap::{GROUPS, Map, USERS};
use chain::ns::{self, Kind};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::unistd::{getegid, geteuid};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Everything that will be done.
#[derive(Debug)]
pub struct Plan {
    /// The namespaces to make, each once.
    pub kinds: Vec<Kind>,
    /// Where some of them are kept.
    pub files: Vec<(Kind, PathBuf)>,
    /// The user id map, if one is to be written.
    pub users: Option<Map>,
    /// The group id map, if one is to be written.
    pub groups: Option<Map>,
    /// Whether the command is a child of this process.
    pub fork: bool,
    /// What to make of the mounts that the new mount namespace starts with.
    pub propagation: Propagation,
    /// The new host name.
    pub hostname: Option<OsString>,
    /// Where to mount proc.
    pub proc: Option<PathBuf>,
    /// The command, never empty.
    pub command: Vec<OsString>,
}

/// `__NEW_UTS_LEN` of linux/utsname.h.
const HOSTNAME_MAX: usize = 64;

impl Plan {
    /// Fails where the options make no sense together or ask for what cannot be.
    pub fn new(options: Options) -> Result<Self> {
        let single = match options {
            Options { map_root_user: true, .. } => Some((0, 0)),
            Options { map_current_user: true, .. } => Some((geteuid().as_raw(), getegid().as_raw())),
            _ => None,
        };
        let proc = options.mount_proc.as_ref().map(|dir| dir.clone().unwrap_or_else(|| "/proc".into()));
        let kinds = kinds(&options, single.is_some());
        let plan = Plan {
            files: options.namespaces().filter_map(|(kind, file)| Some((kind, file?.clone()))).collect(),
            users: Map::resolve(&USERS, single.map(|ids| ids.0), &options.map_users)?,
            groups: Map::resolve(&GROUPS, single.map(|ids| ids.1), &options.map_groups)?,
            fork: options.fork || kinds.contains(&Kind::Pid) && !options.no_fork,
            propagation: options.propagation,
            hostname: options.hostname,
            proc,
            command: if options.command.is_empty() { vec![shell()] } else { options.command },
            kinds,
        };
        plan.check().map(|()| plan)
    }

    fn check(&self) -> Result<()> {
        if let Some(name) = &self.hostname {
            check_hostname(name)?;
        }
        for (kind, file) in &self.files {
            let what = || format!("keep the {} namespace on {}", kind.row().name, show(file));
            let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty());
            let found = std::fs::metadata(dir.unwrap_or(".".as_ref())).cannot_with(what)?;
            if !found.is_dir() || file.is_dir() {
                return Err(Error::new(what(), "it must be a file in an existing directory"));
            }
        }
        Ok(())
    }

    /// The `CLONE_NEW*` bits, for one system call.
    pub fn flags(&self) -> u64 {
        ns::flags(self.kinds.iter().copied())
    }

    /// Whether a process in the old namespaces has something to do.
    pub fn needs_outside(&self) -> bool {
        self.users.is_some() || self.groups.is_some() || !self.files.is_empty()
    }
}

fn kinds(options: &Options, single: bool) -> Vec<Kind> {
    let mapped = single || !options.map_users.is_empty() || !options.map_groups.is_empty();
    let implied = [
        (Kind::User, mapped),
        (Kind::Mount, options.mount_proc.is_some()),
        (Kind::Uts, options.hostname.is_some()),
    ];
    let implied = implied.into_iter().filter(|(_, asked)| *asked).map(|(kind, _)| kind);
    let mut kinds: Vec<Kind> = options.namespaces().map(|(kind, _)| kind).chain(implied).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn check_hostname(name: &OsStr) -> Result<()> {
    let what = || format!("use {} as the host name", show(name));
    match name.as_bytes() {
        [] => Err(Error::new(what(), "it is empty")),
        bytes if bytes.len() > HOSTNAME_MAX => Err(Error::new(what(), "it is longer than 64 bytes")),
        bytes if bytes.iter().any(u8::is_ascii_control) => {
            Err(Error::new(what(), "it has control characters"))
        }
        _ => Ok(()),
    }
}

fn shell() -> OsString {
    std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan(line: &str) -> Result<Plan> {
        let words = std::iter::once("unshare-rs").chain(line.split_whitespace());
        Plan::new(Options::try_parse_from(words).unwrap())
    }

    fn kinds_of(line: &str) -> String {
        ns::list(&plan(line).unwrap().kinds)
    }

    #[test]
    fn bundles_and_implied_kinds() {
        assert_eq!(kinds_of("-pum pivot ./rootfs sh -c x -n"), "mount, uts and pid");
        assert_eq!(kinds_of("-r true"), "user");
        assert_eq!(kinds_of("--map-users=0:1:1 true"), "user");
        assert_eq!(kinds_of("--mount-proc --hostname x true"), "mount and uts");
        assert_eq!(kinds_of("-muinpUCT true"), "user, mount, uts, ipc, net, pid, cgroup and time");
        assert_eq!(kinds_of("true"), "");
    }

    #[test]
    fn a_pid_namespace_forks_unless_told_not_to() {
        assert!(plan("-p true").unwrap().fork);
        assert!(plan("-f true").unwrap().fork);
        assert!(!plan("-p --no-fork true").unwrap().fork);
        assert!(!plan("-m true").unwrap().fork);
    }

    #[test]
    fn the_command_is_left_alone() {
        assert_eq!(plan("-p sh -c -p --bogus").unwrap().command, ["sh", "-c", "-p", "--bogus"]);
        assert_eq!(plan("-p -- -odd").unwrap().command, ["-odd"]);
    }

    #[test]
    fn the_last_of_r_and_c_wins() {
        let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
        let map = |inner| Map::resolve(&USERS, Some(inner), &[]).unwrap();
        assert_eq!(plan("-c -r true").unwrap().users, map(0));
        assert_eq!(plan("-r -c true").unwrap().users, map(uid));
        assert_eq!(plan("-r -c true").unwrap().groups, Map::resolve(&GROUPS, Some(gid), &[]).unwrap());
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_done() {
        let long = format!("--hostname {} true", "x".repeat(65));
        for line in ["--hostname= true", &long, "--net=/no/such/dir/file true", "--net=/ true"] {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
    }
}
