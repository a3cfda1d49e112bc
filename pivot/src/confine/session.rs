//! The session of the command and its terminal; where it needs them for its own, who waits for it.

use super::Confinement;
use crate::command::Command;
use crate::root::Start;
use chain::child::{Child, Parent};
use chain::ns::is_in_first_user_namespace;
use chain::pty::{self, Pty};
use chain::sys::fd::close_from_3_except;
use chain::{Cannot, Error, Result, error};
use nix::errno::Errno;
use nix::unistd::{getpgrp, getpid};
use rustix::fs::{CWD, FileType, FsWord, Mode, OFlags, ResolveFlags, fstat, fstatfs, openat2};
use rustix::io;
use rustix::process::{DumpableBehavior, chdir, set_dumpable_behavior, setsid};
use rustix::stdio::stdin;
use rustix::termios::isatty;
use rustix::thread::{CapabilitySet, capabilities as look};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// linux/magic.h
const DEVPTS_SUPER_MAGIC: FsWord = 0x1cd1;

/// Who runs the command, and in which session.
#[derive(Debug)]
pub enum Session {
    /// This process becomes the command, in its session.
    Same,
    /// This process becomes the command and leads a new one.
    New,
    /// A child does: this process leads a group of the old session, and so cannot lead a new one.
    NewOfChild,
    /// A child does, on a terminal of its own: both ends, once they are there.
    OnTerminal(Option<(OwnedFd, OwnedFd)>),
}

impl Session {
    /// What the policy asks for: before the root is switched.
    pub fn plan(confinement: &Confinement) -> Self {
        let policy = &confinement.policy;
        match policy {
            _ if policy.pty => Session::OnTerminal(None),
            _ if !policy.new_session => Session::Same,
            _ => {
                warn_of_power(confinement);
                if getpgrp() == getpid() { Session::NewOfChild } else { Session::New }
            }
        }
    }

    /// Makes the terminal: one of the new root, which its programs can find by name, or of the old one.
    pub fn look_inside(&mut self, root: BorrowedFd<'_>) -> Result<()> {
        if let Session::OnTerminal(ends) = self {
            let master = inside(root)
                .map_or_else(|| open_terminal(CWD, "/dev/ptmx", ResolveFlags::empty()), Ok)
                .cannot("make a terminal")
                .map_err(|e| {
                    e.hint_if(Errno::ENOENT, "neither root has /dev/ptmx: mount -t devpts devpts /dev/pts")
                })?;
            let peer = pty::peer(&master)?;
            *ends = Some((master, peer));
        }
        Ok(())
    }

    /// Confines and runs the command: returns its status if this process waits for it.
    pub fn run(self, mut confinement: Confinement, command: Command, start: Start) -> Result<u8> {
        let body = move || match confinement.apply(start) {
            Ok(directory) => confinement.explain(command.run(&directory)),
            Err(e) => e,
        };
        match self {
            Session::Same => Err(body()),
            Session::New => Err(lead().map_or_else(|e| e, |()| body())),
            Session::NewOfChild => wait(|| lead().map_or_else(|e| e, |()| body())),
            Session::OnTerminal(ends) => wait_on_terminal(ends, body),
        }
    }
}

fn lead() -> Result<()> {
    setsid().cannot("start a new session").map(drop)
}

fn wait(body: impl FnOnce() -> Error) -> Result<u8> {
    let parent = Parent::prepare()?;
    let child = start(&parent, body)?;
    hide(&parent, None)?;
    parent.wait(child)
}

fn wait_on_terminal(ends: Option<(OwnedFd, OwnedFd)>, body: impl FnOnce() -> Error) -> Result<u8> {
    let parent = Parent::prepare()?;
    let pty = ends.map_or_else(Pty::open, |(master, peer)| Pty::of(master, peer))?;
    let child = start(&parent, || pty.attach().map_or_else(|e| e, |()| body()))?;
    hide(&parent, Some(&pty))?;
    parent.wait_relaying(child, pty)
}

fn start(parent: &Parent, body: impl FnOnce() -> Error) -> Result<Child> {
    parent.start(0, None, body).cannot("start the command")
}

/// Who is root inside can look into a process there: the one that waits keeps no descriptor that it does not need and no
/// working directory, and is not dumpable.
fn hide(parent: &Parent, pty: Option<&Pty>) -> Result<()> {
    chdir("/").cannot("leave the working directory")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).cannot("hide the memory of this process")?;
    let relay = pty.into_iter().flat_map(Pty::descriptors);
    let needed: Vec<u32> =
        parent.descriptors().into_iter().chain(relay).map(|fd| fd.as_raw_fd() as u32).collect();
    close_from_3_except(&needed).cannot("close what was inherited")
}

/// Nothing but the terminals of a devpts is taken for one, whatever a root puts there.
fn inside(root: BorrowedFd<'_>) -> Option<OwnedFd> {
    let path = "dev/pts/ptmx";
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let seen = openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve).ok()?;
    let is_device = FileType::from_raw_mode(fstat(&seen).ok()?.st_mode) == FileType::CharacterDevice;
    if !is_device || fstatfs(&seen).ok()?.f_type != DEVPTS_SUPER_MAGIC {
        return None;
    }
    open_terminal(root, path, resolve).ok()
}

fn open_terminal(dir: BorrowedFd<'_>, path: &str, resolve: ResolveFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    openat2(dir, path, flags, Mode::empty(), resolve)
}

/// TIOCSTI(2const) asks for the same session, or for a right that is as good.
fn warn_of_power(confinement: &Confinement) {
    let policy = &confinement.policy;
    let is_filtered = confinement.filter.is_some();
    // The capabilities of any other user namespace do not count for a terminal: user_namespaces(7).
    let counts = is_in_first_user_namespace();
    if is_filtered || policy.user.is_some() || !isatty(stdin()) || !counts {
        return;
    }
    let rights = confinement.rights.map(|rights| rights.permitted);
    let rights =
        rights.or_else(|| look(None).ok().map(|sets| sets.permitted)).unwrap_or(CapabilitySet::empty());
    if rights.contains(CapabilitySet::SYS_ADMIN) {
        error::say(
            "hint: CAP_SYS_ADMIN, which CMD keeps, may type into this terminal from any session; \
             --seccomp-deny @tiocsti or --pty prevents it",
        );
    }
}
