//! Landlock: a process gives up its own access to files, landlock(7).

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `LANDLOCK_CREATE_RULESET_VERSION` of linux/landlock.h.
const VERSION: u32 = 1;
/// `LANDLOCK_RULE_PATH_BENEATH` of linux/landlock.h.
const PATH_BENEATH: i32 = 1;

/// struct landlock_ruleset_attr, as its first version had it: what is not said is not handled.
#[repr(C)]
struct RulesetAttr {
    handled_access_fs: u64,
}

/// struct landlock_path_beneath_attr.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// The version of the interface that the kernel has, from 1 on. ENOSYS where it was built without Landlock, EOPNOTSUPP
/// where that was switched off at boot.
pub fn version() -> Result<u32, Errno> {
    // SAFETY: with this flag the call takes no memory.
    let result =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    super::check(result).map(|version| version as u32)
}

/// What is allowed of a set of rights; whatever is handled and not allowed is refused.
#[derive(Debug)]
pub struct Ruleset(OwnedFd);

impl Ruleset {
    /// Handles these rights (`LANDLOCK_ACCESS_FS_*` bits). EINVAL for one that the kernel does not know.
    pub fn new(handled: u64) -> Result<Self, Errno> {
        let attr = RulesetAttr { handled_access_fs: handled };
        // SAFETY: `attr` is a live landlock_ruleset_attr of the size given.
        let fd = super::check(unsafe {
            libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attr, size_of_val(&attr), 0)
        })?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Ruleset(unsafe { OwnedFd::from_raw_fd(fd as i32) }))
    }

    /// Allows `access` to `place`, an open file or directory (O_PATH will do), and to all below it. EINVAL for a right
    /// that only directories have, on a file.
    pub fn allow(&self, place: BorrowedFd<'_>, access: u64) -> Result<(), Errno> {
        let attr = PathBeneath { allowed_access: access, parent_fd: place.as_raw_fd() };
        // SAFETY: `attr` is a live landlock_path_beneath_attr.
        super::check(unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), PATH_BENEATH, &raw const attr, 0)
        })
        .map(drop)
    }

    /// Puts the calling process under the rules, for good. EPERM without no_new_privs and CAP_SYS_ADMIN; E2BIG below 16
    /// others.
    pub fn restrict(&self) -> Result<(), Errno> {
        // SAFETY: the call takes two numbers.
        super::check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, self.0.as_raw_fd(), 0) })
            .map(drop)
    }
}
