//! Tools for a target that has none, in a private copy of its mount namespace: nothing is written to or mounted in
//! the live one, and the copy goes with its last process.
//!
//! The order is the kernel's: the tools are cloned while this process still is among the caller's mounts, in a
//! namespace of its own, since that alone gives a user the right to; then it moves to the target's mounts, and
//! copies these. Of what a process has open only its root and its working directory go to the copy with it.

mod mounts;
mod request;
mod root;
mod source;

use crate::cli::Options;
use crate::doors::{Door, is_asked_of_target};
use crate::join;
use crate::plan::Place;
use crate::target::Target;
use chain::exec::{DEFAULT_PATH, Environment, find};
use chain::ns::{Kind, NAMESPACES};
use chain::sys::process::unshare;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, setfsgid, setfsuid};
pub use request::Request;
use rustix::process::{chdir, fchdir, getcwd};
use source::Source;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Where a shell may be in a toolbox, the best first.
const SHELLS: [&str; 3] = ["bin/bash", "bin/sh", "sh"];

/// Everything that is needed for it, opened in the caller's world.
#[derive(Debug)]
pub struct Toolbox {
    request: Request,
    source: Source,
    /// The target's root directory, where it is in the mount namespace that is entered.
    root: Option<OwnedFd>,
    /// The target's working directory, to start in.
    wd: Option<OwnedFd>,
    /// The user namespace whose root the command will be.
    users: Option<OwnedFd>,
}

impl Toolbox {
    /// Looks for the tools, and takes over what `place` says of the target's directories: it names the live ones.
    pub fn new(options: &Options, target: Option<&Target>, place: &mut Place) -> Result<Option<Self>> {
        let (Some(asked), Some(target)) = (&options.toolbox, target) else { return Ok(None) };
        if matches!(options.root, Some(Some(_))) {
            return Err(Error::new(
                "use --root=DIR with --toolbox",
                "the root directory is the target's then",
            ));
        }
        let mut request = asked.clone().unwrap_or_else(Request::usual);
        // To be found from any working directory.
        request.source = request.source.map(std::path::absolute).transpose().cannot("find the toolbox")?;
        let source = Source::find(request.source.as_deref())?;
        place.root = None;
        place.other_root = true;
        let wd = place.wd.take_if(|wd| wd.of_target).map(|wd| wd.fd);
        let in_target = is_asked_of_target(options, Kind::Mount);
        let root = if in_target { Some(target.directory("root")?) } else { None };
        let users = is_asked_of_target(options, Kind::User).then(|| target.namespace(Kind::User));
        Ok(Some(Toolbox { request, source, root, wd, users: users.transpose()? }))
    }

    /// Adds the tools to the variables of the command: its PATH is the target's, then the toolbox.
    pub fn extend(&self, environment: Option<Environment>, target: Option<&Target>) -> Environment {
        let theirs = target.and_then(|target| target.read("environ").ok());
        let theirs = theirs.map(|block| Environment::parse(&block));
        let path = theirs.as_ref().and_then(|theirs| theirs.get("PATH")).filter(|path| !path.is_empty());
        let mut path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).to_owned();
        for directory in self.source.directories() {
            path.push(":");
            let place = &self.request.place;
            path.push(if directory.is_empty() { place.clone() } else { place.join(directory) });
        }
        let mut environment = environment.unwrap_or_else(Environment::current);
        environment.set("PATH", path);
        environment
    }

    /// Its shell, once it has appeared.
    pub fn shell(&self) -> Option<OsString> {
        let files = SHELLS.map(|shell| self.request.place.join(shell).into_os_string());
        files.into_iter().find(|file| find(file, None).is_some())
    }

    /// Joins all that the doors lead to, and puts the tools into a copy of the mounts there.
    pub fn enter(&self, doors: &mut [Door]) -> Result<()> {
        // The first copy is the target's too where the mounts are the caller's, and the last one.
        let mut wd = if lead_to(doors, Kind::Mount) { None } else { Some(self.go_to_root()?) };
        self.leave_the_callers_mounts(doors)?;
        let outside = lead_to(doors, Kind::User);
        let owner = (!outside).then(Owner::become_root);
        let tools = self.source.make(self.users.as_ref().filter(|_| outside).map(AsFd::as_fd))?;
        if wd.is_none() {
            join::only(doors, &[Kind::Mount])?;
            wd = Some(self.go_to_root()?);
            private("copy the mounts of the process")?;
        }
        root::put(&tools, &self.request.below_root())?;
        drop(owner);
        join::all(doors)?;
        let wd = wd.unwrap_or("/".into());
        chdir(&wd).cannot_with(|| format!("go to {} inside", show(&wd)))
    }

    /// A user may not before being root of a user namespace.
    fn leave_the_callers_mounts(&self, doors: &mut [Door]) -> Result<()> {
        let what = "make a mount namespace";
        match private(what) {
            Err(e) if e.errno() == Some(Errno::EPERM) && lead_to(doors, Kind::User) => {
                let kinds = NAMESPACES.iter().map(|row| row.kind);
                join::only(doors, &kinds.filter(|kind| *kind != Kind::Mount).collect::<Vec<_>>())?;
                private(what)
            }
            result => result,
        }
    }

    /// Goes to the root directory of the target, and gives the path from there to where the command starts.
    fn go_to_root(&self) -> Result<PathBuf> {
        let what = "find the working directory of the process";
        let at = |fd: &OwnedFd| -> Result<PathBuf> {
            fchdir(fd).cannot(what)?;
            let path = getcwd(Vec::new()).cannot(what)?.into_bytes();
            Ok(OsString::from_vec(path).into())
        };
        let wd = self.wd.as_ref().map(at).transpose()?;
        let root = self.root.as_ref().map(at).transpose()?.unwrap_or("/".into());
        let Some(wd) = wd else { return Ok("/".into()) };
        match wd.strip_prefix(&root) {
            Ok(below) => Ok(Path::new("/").join(below)),
            Err(_) => {
                Err(Error::new("take over the working directory", "it is not below the root directory")
                    .hint("without -w the command starts in /"))
            }
        }
    }
}

fn lead_to(doors: &[Door], kind: Kind) -> bool {
    doors.iter().any(|door| door.kinds.contains(&kind))
}

/// Goes on in a mount namespace of its own, a copy of the one that it was in.
fn private(what: &str) -> Result<()> {
    unshare(Kind::Mount.row().flag).cannot(what).map_err(|e| {
        e.hint_if(
            Errno::EPERM,
            "run it as root, or add -U (or -a) where the process has a user namespace of yours",
        )
        .hint_if(Errno::ENOSPC, "/proc/sys/user/max_mnt_namespaces, here or further out, limits their number")
    })
}

/// Files are made as root of the user namespace for as long as this lives: the caller may have no number in it.
struct Owner(Uid, Gid);

impl Owner {
    fn become_root() -> Self {
        let group = setfsgid(Gid::from_raw(0));
        Owner(setfsuid(Uid::from_raw(0)), group)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        setfsuid(self.0);
        setfsgid(self.1);
    }
}
