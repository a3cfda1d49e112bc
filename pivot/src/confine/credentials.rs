//! Becoming the user that the command runs as, and having no more capabilities than are its own.

use super::capabilities;
use super::securebits;
use chain::user::database::Account;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, getgroups, setgroups, setresgid, setresuid};
use rustix::fs::{FileType, FsWord, fchown, fstat, fstatfs};
use rustix::stdio::{stderr, stdin, stdout};
use rustix::thread::{CapabilitySet, capabilities as look, set_keep_capabilities};
use std::os::fd::BorrowedFd;

/// linux/magic.h
const PIPEFS_MAGIC: FsWord = 0x5049_5045;

/// The capabilities that the command gets.
#[derive(Debug, Clone, Copy)]
pub struct Rights {
    /// It can ever have, where that is limited.
    pub bounding: Option<CapabilitySet>,
    /// Permitted and effective, for root.
    pub permitted: CapabilitySet,
    /// Inheritable and ambient: for any user.
    pub ambient: CapabilitySet,
    /// To be set.
    pub securebits: securebits::SecureBits,
}

impl Rights {
    /// Whether they must outlast the change to `account`: the kernel takes all from a user who was root.
    fn outlast(&self, account: &Account) -> bool {
        account.user != 0 && (!self.ambient.is_empty() || self.securebits != 0)
    }

    /// The last one that still may.
    pub fn keep_over(&self, account: &Account) -> Result<()> {
        if self.outlast(account) { set_keep_capabilities(true).cannot("keep capabilities") } else { Ok(()) }
    }

    /// Sets them all. The start of the next program forgets that they were to be kept.
    pub fn take(&self, account: Option<&Account>) -> Result<()> {
        let is_plain_user = account.is_some_and(|account| account.user != 0) && self.ambient.is_empty();
        let last = if is_plain_user { CapabilitySet::empty() } else { self.permitted };
        if self.securebits == 0 {
            capabilities::set(last, self.ambient)?;
            return capabilities::make_ambient(self.ambient);
        }
        // Securebits can forbid to make ambient, and to be set they take a capability that may not stay.
        let now = look(None).cannot("read the capabilities")?.permitted;
        let first = last | (now & CapabilitySet::SETPCAP);
        capabilities::set(first, self.ambient)?;
        capabilities::make_ambient(self.ambient)?;
        securebits::set(self.securebits)?;
        if first == last { Ok(()) } else { capabilities::set(last, self.ambient) }
    }
}

/// Gives the account the standard descriptors that it could not open again by /dev/stdout: pipes, and a terminal that
/// was made for it. What else is there belongs to others, who would find their file or terminal given away.
pub fn own_standard_descriptors(account: &Account, terminal: bool) {
    for fd in [stdin(), stdout(), stderr()] {
        if terminal || is_pipe(fd) {
            // Where the user namespace does not have the user, the next step says so.
            let _ = fchown(fd, Some(rustix::fs::Uid::from_raw(account.user)), None);
        }
    }
}

/// One without a name.
fn is_pipe(fd: BorrowedFd<'_>) -> bool {
    fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
        && fstatfs(fd).is_ok_and(|stat| stat.f_type == PIPEFS_MAGIC)
}

/// Sets the supplementary groups. With `may_stay` they are not worth an error where the user namespace forbids any change.
pub fn set_groups(groups: &[u32], may_stay: bool) -> Result<()> {
    let ids: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    match setgroups(&ids) {
        Err(Errno::EPERM) if may_stay || has(groups) => Ok(()),
        set => set.cannot("set the supplementary groups").map_err(|e| {
            e.hint_if(Errno::EPERM, if may(CapabilitySet::SETGID) { NO_SETGROUPS } else { NO_RIGHT }).hint_if(
                Errno::EINVAL,
                "the user namespace has not all of these groups: map them with --map-groups",
            )
        }),
    }
}

/// Whether these are the supplementary groups already.
fn has(groups: &[u32]) -> bool {
    let mut own: Vec<u32> = getgroups().unwrap_or_default().iter().map(|id| id.as_raw()).collect();
    let mut wanted = groups.to_vec();
    own.sort_unstable();
    wanted.sort_unstable();
    own == wanted
}

const NO_SETGROUPS: &str =
    "this user namespace has given setgroups up: `unshare-rs --map-groups auto` makes one that has not";
const NO_RIGHT: &str = "it takes root, or a user namespace: `unshare-rs -Ur` before this makes one";

/// Becomes the group, then the user, which would no longer be allowed to change the group.
pub fn change(account: &Account) -> Result<()> {
    let (user, group) = (Uid::from_raw(account.user), Gid::from_raw(account.group));
    setresgid(group, group, group)
        .cannot_with(|| format!("become group {group}"))
        .map_err(|e| explain(e, "group"))?;
    setresuid(user, user, user).cannot_with(|| format!("become user {user}")).map_err(|e| explain(e, "user"))
}

fn explain(e: Error, what: &str) -> Error {
    let unmapped = format!("the user namespace has no such {what}: map it with --map-{what}s of unshare-rs");
    e.hint_if(Errno::EINVAL, unmapped)
        .hint_if(Errno::EPERM, NO_RIGHT)
        .hint_if(Errno::EAGAIN, "that user runs as many processes as it may: --rlimit nproc")
}

fn may(one: CapabilitySet) -> bool {
    look(None).is_ok_and(|sets| sets.effective.contains(one))
}
