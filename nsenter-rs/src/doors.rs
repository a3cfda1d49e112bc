//! What leads into the namespaces that were asked for, opened; those that are shared already are left out.

use crate::cli::{Named, Options};
use crate::refused;
use crate::target::Target;
use chain::ns::{self, Identity, Kind, NAMESPACES};
use chain::sys::ns as nsfs;
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, fstat, fstatfs, open};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

/// A descriptor that setns(2) takes, and the namespaces to join by it.
#[derive(Debug)]
pub struct Door {
    /// A pidfd, or the file of one namespace.
    pub fd: OwnedFd,
    /// What is still to be joined, user namespace first.
    pub kinds: Vec<Kind>,
    /// The process or the file, for messages.
    pub whose: String,
}

/// Whether a namespace of the target was asked for, by its own option or by one for all.
pub fn is_asked_of_target(options: &Options, kind: Kind) -> bool {
    let replaced = match kind {
        Kind::User => options.user_parent,
        Kind::Net => options.net_socket.is_some(),
        _ => false,
    };
    match options.namespace(kind) {
        Some(Some(_)) => false,
        Some(None) => !replaced,
        None => {
            let is_needed = kind == Kind::Mount && options.toolbox.is_some();
            (options.takes_all() || is_needed) && !replaced
        }
    }
}

/// Every door, those for files first.
pub fn open_all(options: &Options, target: Option<&Target>) -> Result<Vec<Door>> {
    let mut doors = named_doors(options)?;
    if let (Some(fd), Some(target)) = (options.net_socket, target) {
        doors.push(socket_door(target, fd)?);
    }
    if options.user_parent {
        doors.push(parent_door(options, &doors, target)?);
    }
    if let Some(target) = target {
        let kinds = target_kinds(options, target)?;
        let fd = target.pidfd().try_clone_to_owned().cannot("keep a pidfd")?;
        doors.push(Door { fd, kinds, whose: target.to_string() });
    }
    drop_shared(&mut doors)?;
    Ok(doors)
}

/// The namespaces of the target that were asked for and are not shared already.
fn target_kinds(options: &Options, target: &Target) -> Result<Vec<Kind>> {
    let mut chosen = Vec::new();
    for kind in NAMESPACES.iter().map(|row| row.kind).filter(|kind| is_asked_of_target(options, *kind)) {
        match target.identity(kind)? {
            Some(theirs) if is_shared(kind, theirs)? => {}
            Some(_) => chosen.push(kind),
            None if options.namespace(kind).is_none() => {}
            None => return Err(missing(kind)),
        }
    }
    Ok(chosen)
}

fn missing(kind: Kind) -> Error {
    Error::new(format_args!("enter the {} namespace", kind.row().name), "this kernel has none")
}

/// A kind that only children enter is shared when they would be in it too.
pub fn is_shared(kind: Kind, theirs: Identity) -> Result<bool> {
    let row = kind.row();
    let own = ns::identity("self", row.file).cannot("look at the own namespaces")?;
    // The link is empty (ENOENT) as long as a pid namespace for children has no child.
    let for_children = || ns::identity("self", row.for_children).ok();
    Ok(own == theirs && (row.for_children == row.file || for_children() == Some(theirs)))
}

/// A pidfd is not looked at: its kinds were chosen among those that differ.
fn drop_shared(doors: &mut Vec<Door>) -> Result<()> {
    for door in doors.iter_mut() {
        if let ([kind], true) = (&door.kinds[..], is_namespace(&door.fd)?) {
            let stat = fstat(&door.fd).cannot_with(|| format!("look at {}", door.whose))?;
            if is_shared(*kind, (stat.st_dev, stat.st_ino))? {
                door.kinds.clear();
            }
        }
    }
    doors.retain(|door| !door.kinds.is_empty());
    Ok(())
}

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS: u64 = 0x6e73_6673;

fn is_namespace(fd: &OwnedFd) -> Result<bool> {
    Ok(fstatfs(fd).cannot("look at a namespace")?.f_type as u64 == NSFS)
}

fn named_doors(options: &Options) -> Result<Vec<Door>> {
    let mut doors = Vec::new();
    for kind in NAMESPACES.iter().map(|row| row.kind) {
        let (fd, whose) = match options.namespace(kind) {
            Some(Some(Named::File(file))) => (open_file(file, kind)?, show(file)),
            Some(Some(Named::Id(id))) => (open_id(*id, kind)?, format!("id {id}")),
            _ => continue,
        };
        // It only says whose parent or owner is meant.
        let kinds = if kind == Kind::User && options.user_parent { Vec::new() } else { vec![kind] };
        doors.push(Door { fd, kinds, whose });
    }
    Ok(doors)
}

fn open_file(file: &Path, kind: Kind) -> Result<OwnedFd> {
    let what = || format!("enter the {} namespace of {}", kind.row().name, show(file));
    // Not to wait for the other end of a fifo.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = open(file, flags, Mode::empty()).cannot_with(what)?;
    if !is_namespace(&fd)? {
        return Err(Error::new(what(), "it is no namespace")
            .hint("a namespace is a file like /proc/PID/ns/net, or one that such a file is bound on"));
    }
    Ok(fd)
}

fn open_id(id: u64, kind: Kind) -> Result<OwnedFd> {
    nsfs::by_id(id).map_err(|errno| {
        let what = format!("enter the {} namespace of id {id}", kind.row().name);
        match errno {
            Errno::EPERM | Errno::EACCES => {
                Error::os(what, errno).hint("it takes root, or a process of yours in that namespace")
            }
            _ if !knows_ids() => Error::new(what, "this kernel cannot find a namespace by its id")
                .hint("Linux 6.19 and later can; name a file instead, as in --net=/proc/PID/ns/net"),
            Errno::ESTALE => Error::new(what, "there is none with this id"),
            errno => Error::os(what, errno),
        }
    })
}

/// Whether this process's own namespace is found by its id.
fn knows_ids() -> bool {
    let own = ns::open("self", Kind::Uts).ok();
    own.and_then(|own| nsfs::id(own.as_fd()).ok()).is_some_and(|id| nsfs::by_id(id).is_ok())
}

fn socket_door(target: &Target, fd: i32) -> Result<Door> {
    let whose = format!("descriptor {fd} of {target}");
    let socket = target.descriptor(fd)?;
    let net = nsfs::of_socket(socket.as_fd()).map_err(|errno| refused::socket(&whose, errno))?;
    Ok(Door { fd: net, kinds: vec![Kind::Net], whose })
}

/// The user namespace that owns the first of the chosen ones, where a user namespace counts first: its owner is its
/// parent.
fn parent_door(options: &Options, doors: &[Door], target: Option<&Target>) -> Result<Door> {
    let user_file = matches!(options.namespace(Kind::User), Some(Some(_)));
    let user_of_target = options.namespace(Kind::User).is_some() || options.all || options.like_target;
    let others = || NAMESPACES.iter().map(|row| row.kind).find(|kind| is_asked_of_target(options, *kind));
    let kind = if user_of_target { Some(Kind::User) } else { others() };
    let (owner, whose) = match (doors.first(), target, kind) {
        (Some(door), _, _) if user_file => (nsfs::owner(door.fd.as_fd()), door.whose.clone()),
        (_, Some(target), Some(kind)) => (
            nsfs::owner(target.namespace(kind)?.as_fd()),
            format!("{}'s {} namespace", target, kind.row().name),
        ),
        (Some(door), _, _) => (nsfs::owner(door.fd.as_fd()), door.whose.clone()),
        _ => {
            return Err(Error::new(
                "enter the parent user namespace",
                "no namespace is chosen whose parent it would be",
            )
            .hint("add -U for the parent of the target's own, or the letter of a namespace for its owner"));
        }
    };
    let fd = owner.map_err(|errno| refused::parent(&whose, errno))?;
    Ok(Door { fd, kinds: vec![Kind::User], whose: format!("the owner of {whose}") })
}
