//! What will be joined, as plain data: everything is looked up, opened and checked before this process moves.

use crate::cli::Options;
use crate::refused;
use crate::target::Target;
use chain::ns::{self, Identity, Kind, NAMESPACES};
use chain::text::show;
use chain::{Cannot, Error, Result};
use rustix::fs::{Mode, OFlags, fstat, fstatfs, open};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::Path;

/// Everything that will be done.
#[derive(Debug)]
pub struct Plan {
    /// What to go through.
    pub doors: Vec<Door>,
    /// The new root directory.
    pub root: Option<OwnedFd>,
    /// The new working directory.
    pub wd: Option<Directory>,
    /// Whether to become root of the user namespace that is entered.
    pub take_ids: bool,
    /// Whether the command sees another root than the caller does.
    pub other_root: bool,
    /// Whether the command is a child of this process.
    pub fork: bool,
    /// The command; empty for a shell.
    pub command: Vec<OsString>,
}

/// A descriptor that setns(2) takes, and the namespaces to join by it.
#[derive(Debug)]
pub struct Door {
    /// A pidfd, or the file of one namespace.
    pub fd: OwnedFd,
    /// User namespace first.
    pub kinds: Vec<Kind>,
    /// The process or the file, for messages.
    pub whose: String,
}

/// A working directory, opened in the caller's world.
#[derive(Debug)]
pub struct Directory {
    /// The directory.
    pub fd: OwnedFd,
    /// It was the target's, not named by the caller.
    pub of_target: bool,
}

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS: u64 = 0x6e73_6673;

impl Plan {
    /// Fails where the options make no sense together, or something that they name is not there.
    pub fn new(options: Options) -> Result<Self> {
        check(&options)?;
        let target = options.target.map(Target::open).transpose()?;
        let mut doors = file_doors(&options)?;
        let root = directory(options.root.as_ref(), "root", target.as_ref())?;
        let wd = directory(options.wd.as_ref(), "cwd", target.as_ref())?;
        if let Some(target) = target {
            let kinds = target_kinds(&options, &target)?;
            let whose = target.to_string();
            doors.push(Door { fd: target.into_pidfd(), kinds, whose });
        }
        doors.retain(|door| !door.kinds.is_empty());
        let joins = |kind| doors.iter().any(|door| door.kinds.contains(&kind));
        Ok(Plan {
            take_ids: joins(Kind::User) && !options.preserve_credentials,
            other_root: root.is_some() || joins(Kind::Mount),
            fork: joins(Kind::Pid) && !options.no_fork,
            root: root.map(|dir| dir.fd),
            wd,
            doors,
            command: options.command,
        })
    }
}

/// What can be said without looking at anything.
fn check(options: &Options) -> Result<()> {
    let of_target: Vec<Kind> = kinds().filter(|kind| options.namespace(*kind) == Some(None)).collect();
    let something = options.all || options.root.is_some() || options.wd.is_some();
    let needs_target = match options {
        Options { all: true, .. } => Some("enter all namespaces".to_owned()),
        _ if !of_target.is_empty() => Some(format!("enter the {}", refused::namespaces(&of_target))),
        Options { root: Some(None), .. } => Some("take over the root directory".to_owned()),
        Options { wd: Some(None), .. } => Some("take over the working directory".to_owned()),
        _ => None,
    };
    match needs_target {
        Some(what) if options.target.is_none() => Err(Error::new(what, "no process is given").hint(
            "name one with -t PID; a file or a directory goes after a sign, as in --net=FILE or --root=DIR",
        )),
        None if !something && kinds().all(|kind| options.namespace(kind).is_none()) => {
            Err(Error::new("start", "no namespace is chosen")
                .hint("-a is for all of a process, -m -u -i -n -p -U -C -T are for one each"))
        }
        _ => Ok(()),
    }
}

fn kinds() -> impl Iterator<Item = Kind> {
    NAMESPACES.iter().map(|row| row.kind)
}

/// The namespaces of the target that were asked for and are not shared already.
fn target_kinds(options: &Options, target: &Target) -> Result<Vec<Kind>> {
    let mut chosen = Vec::new();
    for kind in kinds() {
        let asked = match options.namespace(kind) {
            Some(Some(_)) => false,
            Some(None) => true,
            None => options.all && ns::identity("self", kind.row().file).is_ok(),
        };
        if !asked {
            continue;
        }
        match target.identity(kind)? {
            Some(theirs) if is_shared(kind, theirs)? => {}
            Some(_) => chosen.push(kind),
            None => {
                return Err(Error::new(
                    format_args!("enter the {} namespace", kind.row().name),
                    "this kernel has none",
                ));
            }
        }
    }
    Ok(chosen)
}

/// A kind that only children enter is shared when they would be in it too.
fn is_shared(kind: Kind, theirs: Identity) -> Result<bool> {
    let row = kind.row();
    let own = |file| ns::identity("self", file).cannot("look at the own namespaces");
    // The link is empty (ENOENT) as long as a pid namespace for children has no child.
    let children = ns::identity("self", row.for_children).ok();
    Ok(own(row.file)? == theirs && children == Some(theirs))
}

fn file_doors(options: &Options) -> Result<Vec<Door>> {
    let mut doors = Vec::new();
    for kind in kinds() {
        if let Some(Some(file)) = options.namespace(kind) {
            let fd = open_namespace(file, kind)?;
            let stat = fstat(&fd).cannot_with(|| format!("look at {}", show(file)))?;
            let shared = is_shared(kind, (stat.st_dev, stat.st_ino))?;
            let kinds = if shared { Vec::new() } else { vec![kind] };
            doors.push(Door { fd, kinds, whose: show(file) });
        }
    }
    Ok(doors)
}

fn open_namespace(file: &Path, kind: Kind) -> Result<OwnedFd> {
    let what = || format!("enter the {} namespace of {}", kind.row().name, show(file));
    // Not to wait for the other end of a fifo.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = open(file, flags, Mode::empty()).cannot_with(what)?;
    let magic = fstatfs(&fd).cannot_with(what)?.f_type as u64;
    if magic != NSFS {
        return Err(Error::new(what(), "it is no namespace")
            .hint("a namespace is a file like /proc/PID/ns/net, or one that such a file is bound on"));
    }
    Ok(fd)
}

/// A directory option: without a value it is the target's `link`.
fn directory(
    asked: Option<&Option<std::path::PathBuf>>,
    link: &str,
    target: Option<&Target>,
) -> Result<Option<Directory>> {
    match (asked, target) {
        (Some(Some(dir)), _) => {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = open(dir, flags, Mode::empty()).cannot_with(|| format!("go to {}", show(dir)))?;
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
        let plan = plan("-t SELF -a -n/proc/self/ns/net true").unwrap();
        assert!(plan.doors.is_empty() && !plan.fork && !plan.take_ids && !plan.other_root);
    }

    #[test]
    fn another_root_is_noticed() {
        assert!(plan("-t SELF -r true").unwrap().other_root);
        assert!(!plan("-t SELF -w true").unwrap().other_root);
        assert!(plan("-t SELF -w true").unwrap().wd.unwrap().of_target);
        assert!(!plan("-w/ true").unwrap().wd.unwrap().of_target);
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
            "--preserve-credentials true",
        ] {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
        for line in ["-n/no/such/file", "-n/etc/passwd", "-n/", "-r/no/such/dir", "-w/etc/passwd"] {
            assert_eq!(plan(line).unwrap_err().exit_status(), 125, "{line}");
        }
    }
}
