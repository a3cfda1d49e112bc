//! What will be done, as plain data: everything is looked up, opened and checked before this process moves.

use crate::cli::{Id, Options};
use crate::credentials::Who;
use crate::doors::{self, Door};
use crate::filter::Filter;
use crate::find;
use crate::groups::Groups;
use crate::limits::Limits;
use crate::refused;
use crate::selinux;
use crate::target::Target;
use crate::toolbox::Toolbox;
use chain::exec::Environment;
use chain::ns::{Kind, NAMESPACES};
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, open, statx};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// Everything that will be done.
#[derive(Debug)]
pub struct Plan {
    /// What to go through.
    pub doors: Vec<Door>,
    /// The control groups to join.
    pub groups: Groups,
    /// Where to be then.
    pub place: Place,
    /// Whom to become.
    pub who: Who,
    /// The SELinux context for the command.
    pub context: Option<Vec<u8>>,
    /// Tools to bring along.
    pub toolbox: Option<Toolbox>,
    /// Whether the command gets a terminal of its own.
    pub pty: bool,
    /// Whether a reaper stands before the command.
    pub init: bool,
    /// Whether the command is a child of this process.
    pub fork: bool,
    /// Whether /proc may show another pid namespace than the command's.
    pub doubts_proc: bool,
    /// The command; empty for a shell.
    pub command: Vec<OsString>,
    /// Its variables, where they are not simply this process's.
    pub environment: Option<Environment>,
    /// Those that are set last.
    pub variables: Vec<(OsString, OsString)>,
    /// Its resource limits, where they are not simply this process's.
    pub limits: Limits,
    /// Whether no signal is ignored by it from the start.
    pub default_signals: bool,
    /// The filter of its system calls.
    pub filter: Option<Filter>,
}

/// Root and working directory.
#[derive(Debug)]
pub struct Place {
    /// The new root directory.
    pub root: Option<OwnedFd>,
    /// The new working directory.
    pub wd: Option<Directory>,
    /// The new working directory, by its name inside.
    pub wdns: Option<PathBuf>,
    /// Whether the command sees another root than the caller does.
    pub other_root: bool,
}

/// A working directory, opened in the caller's world.
#[derive(Debug)]
pub struct Directory {
    /// The directory.
    pub fd: OwnedFd,
    /// It was the target's, not named by the caller.
    pub of_target: bool,
}

impl Plan {
    /// Fails where the options make no sense together, or something that they name is not there.
    pub fn new(options: Options) -> Result<Self> {
        check(&options)?;
        let target = find::target(&options)?;
        let doors = doors::open_all(&options, target.as_ref())?;
        let joins = |kind| doors.iter().any(|door| door.kinds.contains(&kind));
        let fork = options.pty || options.init || joins(Kind::Pid) && !options.no_fork;
        let mut place = place(&options, target.as_ref(), joins(Kind::Mount))?;
        let toolbox = Toolbox::new(&options, target.as_ref(), &mut place)?;
        let of_target = |wanted: bool| target.as_ref().filter(|_| wanted || options.like_target);
        Ok(Plan {
            groups: of_target(options.join_cgroup).map_or(Ok(Groups::default()), |t| Groups::of(t, fork))?,
            environment: match (&toolbox, of_target(options.env).map(environment).transpose()?) {
                (Some(toolbox), environment) => Some(toolbox.extend(environment, target.as_ref())),
                (None, environment) => environment,
            },
            context: target.as_ref().filter(|_| options.follow_context).map(selinux::context).transpose()?,
            place,
            toolbox,
            pty: options.pty,
            init: options.init,
            who: Who::new(&options, joins(Kind::User)),
            doubts_proc: fork && !joins(Kind::Mount) && has_other_mounts(target.as_ref())?,
            fork,
            variables: options.set_env,
            limits: of_target(false).map(Limits::of).transpose()?.unwrap_or_default(),
            default_signals: options.default_signals,
            filter: options.seccomp.as_deref().map(Filter::read).transpose()?,
            command: options.command,
            doors,
        }
        .following(target))
    }

    /// The target is kept where its ids are to be read inside: as numbers of the user namespace that is joined.
    fn following(mut self, target: Option<Target>) -> Self {
        self.who.target = target.filter(|_| self.who.follows());
        self
    }
}

/// What can be said without looking at anything.
fn check(options: &Options) -> Result<()> {
    let of_target: Vec<Kind> =
        NAMESPACES.iter().map(|row| row.kind).filter(|kind| options.namespace(*kind) == Some(None)).collect();
    let needs_target = needs(options).or_else(|| {
        Some(format!("enter the {}", refused::namespaces(&of_target))).filter(|_| !of_target.is_empty())
    });
    match needs_target {
        Some(what) if !options.has_target() => {
            Err(Error::new(what, "no process is given").hint(match of_target[..] {
                [Kind::Cgroup] => "name one with -t PID, or by its control group with --group PATH",
                _ => "name one with -t PID; a file or a directory goes after a sign, as in --net=FILE or --root=DIR",
            }))
        }
        None if !does_something(options) => Err(Error::new("start", "no namespace is chosen")
            .hint("-a is for all of a process, -m -u -i -n -p -U -C -T are for one each")),
        _ => Ok(()),
    }
}

/// What a process is needed for, by options that are not for one namespace.
fn needs(options: &Options) -> Option<String> {
    let rows = [
        (options.list, "list namespaces"),
        (options.like_target, "be like a process"),
        (options.all, "enter all namespaces"),
        (options.toolbox.is_some(), "bring a toolbox"),
        (options.net_socket.is_some(), "enter the net namespace of a socket"),
        (options.root == Some(None), "take over the root directory"),
        (options.wd == Some(None), "take over the working directory"),
        (options.env, "take over the environment"),
        (options.join_cgroup, "join the control groups"),
        (options.follow_context, "take over the SELinux context"),
        (options.setuid == Some(Id::Follow), "take over the user id"),
        (options.setgid == Some(Id::Follow), "take over the group id"),
    ];
    rows.iter().find(|(asked, _)| *asked).map(|(_, what)| (*what).to_owned())
}

fn does_something(options: &Options) -> bool {
    let Options { root, wd, wdns, setuid, setgid, user_parent, .. } = options;
    let place = options.toolbox.is_some() || root.is_some() || wd.is_some() || wdns.is_some();
    let who = setuid.is_some() || setgid.is_some() || options.account.is_some() || *user_parent;
    place || who || NAMESPACES.iter().any(|row| options.namespace(row.kind).is_some())
}

/// Nothing is known of those that go with a file.
fn has_other_mounts(target: Option<&Target>) -> Result<bool> {
    let mounts = target.map(|target| target.identity(Kind::Mount)).transpose()?.flatten();
    mounts.map_or(Ok(true), |mounts| doors::is_shared(Kind::Mount, mounts).map(|shared| !shared))
}

fn environment(target: &Target) -> Result<Environment> {
    Ok(Environment::parse(&target.read("environ")?))
}

fn place(options: &Options, target: Option<&Target>, other_mounts: bool) -> Result<Place> {
    let wanted = |asked: &Option<Option<PathBuf>>| match asked {
        None if options.like_target => Some(None),
        asked => asked.clone(),
    };
    let elsewhere = options.wdns.is_some() && options.wd.is_none();
    let root = directory(wanted(&options.root), "root", target)?;
    // Without the right to change it there is none to follow one that is the same.
    let needs_none = |dir: &Directory| options.root.is_none() && !other_mounts && is_own_root(&dir.fd);
    let root = root.filter(|dir| !needs_none(dir));
    let wd = if elsewhere { None } else { directory(wanted(&options.wd), "cwd", target)? };
    Ok(Place {
        other_root: root.is_some() || other_mounts,
        root: root.map(|dir| dir.fd),
        wd,
        wdns: options.wdns.clone().flatten(),
    })
}

fn is_own_root(dir: &OwnedFd) -> bool {
    let look = |path: &str, flags| {
        let stat = statx(dir, path, flags, StatxFlags::INO).ok()?;
        Some((stat.stx_mnt_id, stat.stx_ino))
    };
    look("/", AtFlags::empty()).is_some_and(|own| look("", AtFlags::EMPTY_PATH) == Some(own))
}

/// A directory option: without a value it is the target's `link`.
fn directory(
    asked: Option<Option<PathBuf>>,
    link: &str,
    target: Option<&Target>,
) -> Result<Option<Directory>> {
    match (asked, target) {
        (Some(Some(dir)), _) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = open(&dir, flags, Mode::empty()).cannot_with(|| format!("go to {}", show(&dir)))?;
            Ok(Some(Directory { fd, of_target: false }))
        }
        (Some(None), Some(target)) => Ok(Some(Directory { fd: target.directory(link)?, of_target: true })),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn plan(line: &str) -> Result<Plan> {
        let line = line.replace("SELF", &std::process::id().to_string());
        let words = std::iter::once("nsenter-rs").chain(line.split_whitespace());
        Plan::new(Options::try_parse_from(words).unwrap())
    }

    #[test]
    fn what_is_shared_is_left_out() {
        let plan = plan("-t SELF -a -c -n/proc/self/ns/net true").unwrap();
        assert!(plan.doors.is_empty() && !plan.fork && !plan.who.changes() && !plan.place.other_root);
        assert!(plan.groups.is_empty());
    }

    #[test]
    fn another_root_is_noticed() {
        assert!(plan("-t SELF -r true").unwrap().place.other_root);
        assert!(!plan("-t SELF -w true").unwrap().place.other_root);
        assert!(plan("-t SELF -w true").unwrap().place.wd.unwrap().of_target);
        assert!(!plan("-w/ true").unwrap().place.wd.unwrap().of_target);
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "true",
            "-t SELF true",
            "-a true",
            "-m true",
            "-r true",
            "-w true",
            "-e true",
            "-c true",
            "-N 3 true",
            "-S follow true",
            "--user-parent true",
            "--like-target true",
            "--list",
            "--preserve-credentials true",
        ] {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
        for line in ["-n/no/such/file", "-n/etc/passwd", "-n/", "-r/no/such/dir", "-w/etc/passwd"] {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
    }
}
