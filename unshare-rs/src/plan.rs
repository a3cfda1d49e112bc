//! What the options come to, as plain data, checked before anything is done.

use crate::check::check;
use crate::cli::{Options, Propagation};
use crate::mapping::Setgroups;
use chain::Result;
use chain::accounts::own_shell;
use chain::exec::Environment;
use chain::idmap::Map;
use chain::ns::{self, Kind, NAMESPACES};
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::path::PathBuf;

/// Everything that will be done.
#[derive(Debug)]
pub struct Plan {
    /// The namespaces to make, each once.
    pub kinds: Vec<Kind>,
    /// Whether the command is a child of this process.
    pub fork: bool,
    /// Whether an init stands before the command.
    pub init: bool,
    /// What the command gets when this process dies.
    pub death: Signal,
    /// What is done before there is a namespace.
    pub before: Before,
    /// What a process in the old namespaces does.
    pub outside: Outside,
    /// What is done in the new ones.
    pub inside: Inside,
    /// Where the pid is written.
    pub pid_file: Option<PathBuf>,
    /// The command; none is a login shell.
    pub command: Vec<OsString>,
    /// The shell for no command.
    pub shell: OsString,
    /// The variables for the command, where they are not simply this process's.
    pub environment: Option<Environment>,
}

/// Steps that rule out that the command is born into its namespaces: this process must go in first.
#[derive(Debug)]
pub struct Before {
    /// Who is to own the user namespace.
    pub owner: Option<(u32, u32)>,
    /// The lines for `/proc/self/timens_offsets`.
    pub offsets: Option<String>,
}

/// See [`crate::outside`].
#[derive(Debug)]
pub struct Outside {
    /// Where some of the namespaces are kept.
    pub files: Vec<(Kind, PathBuf)>,
    /// The user id map, if one is to be written.
    pub users: Option<Map>,
    /// The group id map, if one is to be written.
    pub groups: Option<Map>,
    /// Whether setgroups is allowed or given up, where it was said.
    pub setgroups: Option<Setgroups>,
}

/// See [`crate::inside`].
#[derive(Debug)]
pub struct Inside {
    /// What to make of the mounts that the new mount namespace starts with.
    pub propagation: Option<Propagation>,
    /// The new host name.
    pub hostname: Option<OsString>,
    /// Whether there is a loopback interface to set up.
    pub loopback: bool,
    /// The new root.
    pub root: Option<PathBuf>,
    /// The working directory.
    pub directory: Option<PathBuf>,
    /// Where to mount proc.
    pub proc: Option<PathBuf>,
    /// Where to mount `binfmt_misc`.
    pub binfmt: Option<PathBuf>,
    /// What to register there.
    pub interpreter: Option<OsString>,
    /// The user to become.
    pub user: Option<u32>,
    /// The group to become.
    pub group: Option<u32>,
    /// Whether capabilities are to survive the start of the command.
    pub keep_caps: bool,
}

impl Plan {
    /// Fails where the options make no sense together or ask for what cannot be.
    pub fn new(options: Options) -> Result<Self> {
        let kinds = kinds(&options);
        let plan = Plan {
            fork: !options.no_fork && (forks(&options) || kinds.contains(&Kind::Pid)),
            init: options.init,
            death: options.kill_child.flatten().unwrap_or(Signal::SIGKILL),
            before: Before { owner: options.mapping.owner, offsets: offsets(&options) },
            outside: outside(&options)?,
            inside: inside(&options, &kinds),
            pid_file: options.pid_file.clone(),
            environment: environment(&options),
            command: options.command,
            shell: shell(),
            kinds,
        };
        options.mapping.check()?;
        check(&plan).map(|()| plan)
    }

    /// The `CLONE_NEW*` bits, for one system call.
    pub fn flags(&self) -> u64 {
        ns::flags(self.kinds.iter().copied())
    }

    /// Whether the command can be born into its namespaces.
    pub fn is_born_inside(&self) -> bool {
        self.fork && self.before.owner.is_none() && self.before.offsets.is_none()
    }

    /// Whether a process in the old namespaces has something to do.
    pub fn needs_outside(&self) -> bool {
        let Outside { files, users, groups, setgroups } = &self.outside;
        users.is_some() || groups.is_some() || setgroups.is_some() || !files.is_empty()
    }
}

fn forks(options: &Options) -> bool {
    options.fork || options.forward_signals || options.kill_child.is_some()
}

fn kinds(options: &Options) -> Vec<Kind> {
    let binfmt = options.mount_binfmt.is_some() || options.load_interp.is_some();
    let implied = [
        (Kind::User, options.mapping.is_asked_for() || binfmt),
        (Kind::Mount, options.mount_proc.is_some() || binfmt),
        (Kind::Uts, options.hostname.is_some()),
        (Kind::Pid, options.init),
    ];
    let implied = implied.into_iter().filter(|(_, asked)| *asked).map(|(kind, _)| kind);
    let all = NAMESPACES.iter().map(|row| row.kind).filter(|kind| options.all && kind.is_known());
    let mut kinds: Vec<Kind> = options.namespaces().map(|(kind, _)| kind).chain(implied).chain(all).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn offsets(options: &Options) -> Option<String> {
    let line = |clock, seconds: Option<i64>| seconds.map_or(String::new(), |s| format!("{clock} {s} 0\n"));
    let lines = line("monotonic", options.monotonic) + &line("boottime", options.boottime);
    Some(lines).filter(|lines| !lines.is_empty())
}

fn outside(options: &Options) -> Result<Outside> {
    Ok(Outside {
        files: options.namespaces().filter_map(|(kind, file)| Some((kind, file?.clone()))).collect(),
        users: options.mapping.user_map()?,
        groups: options.mapping.group_map()?,
        setgroups: options.mapping.setgroups,
    })
}

fn inside(options: &Options, kinds: &[Kind]) -> Inside {
    let or = |dir: &Option<PathBuf>, default: &str| dir.clone().unwrap_or_else(|| default.into());
    let binfmt = options.mount_binfmt.clone().or_else(|| options.load_interp.as_ref().map(|_| None));
    // Its usual place is below /proc, which may be another's or not there at all.
    let with_proc = (binfmt == Some(None)).then_some(None);
    Inside {
        propagation: kinds.contains(&Kind::Mount).then_some(options.propagation),
        hostname: options.hostname.clone(),
        loopback: kinds.contains(&Kind::Net),
        root: options.root.clone(),
        directory: options.directory.clone(),
        proc: options.mount_proc.clone().or(with_proc).map(|dir| or(&dir, "/proc")),
        binfmt: binfmt.map(|dir| or(&dir, "/proc/sys/fs/binfmt_misc")),
        interpreter: options.load_interp.clone(),
        user: options.setuid,
        group: options.setgid,
        keep_caps: options.keep_caps,
    }
}

fn environment(options: &Options) -> Option<Environment> {
    if !options.clear_env && options.whitelist_env.is_none() {
        return None;
    }
    let mut environment = Environment::current();
    environment.keep(options.whitelist_env.as_deref().unwrap_or_default());
    Some(environment)
}

fn shell() -> OsString {
    let named = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
    named.or_else(|| own_shell().map(OsString::from)).unwrap_or_else(|| "/bin/sh".into())
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
        assert_eq!(kinds_of("--owner 1:1 true"), "user");
        assert_eq!(kinds_of("--mount-proc --hostname x true"), "mount and uts");
        assert_eq!(kinds_of("--mount-binfmt true"), "user and mount");
        assert_eq!(kinds_of("--init true"), "pid");
        assert_eq!(kinds_of("-muinpUCT true"), "user, mount, uts, ipc, net, pid, cgroup and time");
        assert_eq!(kinds_of("-a true"), kinds_of("-muinpUCT true"));
        assert_eq!(kinds_of("true"), "");
    }

    #[test]
    fn a_pid_namespace_forks_unless_told_not_to() {
        for line in ["-p true", "-f true", "--kill-child true", "--forward-signals true", "--init true"] {
            assert!(plan(line).unwrap().fork, "{line}");
        }
        assert!(!plan("-p --no-fork true").unwrap().fork);
        assert!(!plan("-m true").unwrap().fork);
    }

    #[test]
    fn the_command_is_left_alone() {
        assert_eq!(plan("-p sh -c -p --bogus").unwrap().command, ["sh", "-c", "-p", "--bogus"]);
        assert_eq!(plan("-p -- -odd").unwrap().command, ["-odd"]);
        assert_eq!(plan("--kill-child KILL x").unwrap().command, ["KILL", "x"]);
    }

    #[test]
    fn long_options_may_be_shortened_and_repeated() {
        assert_eq!(kinds_of("--ut --ut --map-ro true"), "user and uts");
    }

    #[test]
    fn signals_go_by_number_and_name() {
        for name in ["15", "TERM", "SIGTERM", "term"] {
            assert_eq!(plan(&format!("--kill-child={name} true")).unwrap().death, Signal::SIGTERM);
        }
        assert!(Options::try_parse_from(["unshare-rs", "--kill-child=NO", "true"]).is_err());
    }

    #[test]
    fn nonsense_is_refused_before_anything_is_done() {
        let long = format!("--hostname {} true", "x".repeat(65));
        let lines = [
            "--hostname= true",
            &long,
            "--net=/no/such/dir/file true",
            "--net=/ true",
            "--boottime 5 true",
            "--setgroups deny true",
            "--keep-caps true",
        ];
        for line in lines {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
    }
}
