//! Joining namespaces in the order that the kernel's rules allow.
//!
//! Who may join is decided namespace by namespace (setns(2)): CAP_SYS_ADMIN in the user namespace that owns it,
//! and in the one that the caller will be in. Asked for all at once, the kernel checks the first against the
//! caller as it still is, and the second against the user namespace to be joined; that suits root entering a
//! container of any user, a user entering a container of their own, and one inside another. Where namespaces
//! come from several descriptors this has to be done by hand: what can be joined before the user namespace is,
//! the rest after it.

use crate::doors::Door;
use crate::refused;
use chain::Result;
use chain::ns::{self, Kind, NAMESPACES};
use nix::errno::Errno;
use rustix::thread::{ThreadNameSpaceType, move_into_thread_name_spaces};
use std::os::fd::AsFd;

/// Joins all that is left.
pub fn all(doors: &mut [Door]) -> Result<()> {
    only(doors, &NAMESPACES.map(|row| row.kind))
}

/// Joins what is left of these kinds, and the user namespace as well when nothing else gives the right to.
pub fn only(doors: &mut [Door], kinds: &[Kind]) -> Result<()> {
    let has_user = doors.iter().any(|door| door.kinds.contains(&Kind::User));
    let mut needs_user = kinds.contains(&Kind::User);
    for door in doors.iter_mut() {
        let kinds = door.those(kinds);
        if kinds.contains(&Kind::User) {
            continue;
        }
        match door.setns(&kinds) {
            Ok(()) => door.joined(&kinds),
            Err(Errno::EPERM) if has_user => needs_user = true,
            Err(errno) => door.one_by_one(&kinds, errno)?,
        }
    }
    if needs_user && has_user { with_user(doors, kinds) } else { Ok(()) }
}

fn with_user(doors: &mut [Door], kinds: &[Kind]) -> Result<()> {
    let wanted: Vec<Kind> = std::iter::once(Kind::User).chain(kinds.iter().copied()).collect();
    doors.sort_by_key(|door| !door.kinds.contains(&Kind::User));
    for door in doors {
        let kinds = door.those(&wanted);
        match door.setns(&kinds) {
            Ok(()) => door.joined(&kinds),
            Err(errno) => door.one_by_one(&kinds, errno)?,
        }
    }
    Ok(())
}

impl Door {
    fn those(&self, wanted: &[Kind]) -> Vec<Kind> {
        self.kinds.iter().copied().filter(|kind| wanted.contains(kind)).collect()
    }

    fn joined(&mut self, kinds: &[Kind]) {
        self.kinds.retain(|kind| !kinds.contains(kind));
    }

    /// A second try after the one call for all was refused: either it succeeds, by rights that only the user
    /// namespace gives, or it shows which kind it is that cannot be joined.
    fn one_by_one(&mut self, kinds: &[Kind], errno: Errno) -> Result<()> {
        if let [only] = kinds {
            return Err(refused::join(self, *only, errno));
        }
        for kind in kinds {
            self.setns(&[*kind]).map_err(|errno| refused::join(self, *kind, errno))?;
        }
        self.joined(kinds);
        Ok(())
    }

    /// No kinds are joined by no call.
    fn setns(&self, kinds: &[Kind]) -> Result<(), Errno> {
        if kinds.is_empty() {
            return Ok(());
        }
        // The bits of all kinds fit into the 32 of the system call.
        let kinds = ThreadNameSpaceType::from_bits_retain(ns::flags(kinds.iter().copied()) as u32);
        let joined = move_into_thread_name_spaces(self.fd.as_fd(), kinds);
        joined.map_err(|errno| Errno::from_raw(errno.raw_os_error()))
    }
}
