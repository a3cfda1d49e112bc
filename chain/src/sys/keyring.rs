//! Keys of the kernel, keyrings(7).

use nix::errno::Errno;

/// `KEYCTL_JOIN_SESSION_KEYRING` of linux/keyctl.h.
const JOIN_SESSION_KEYRING: i32 = 1;

/// Gives this process a new session keyring without a name: keyctl_join_session_keyring(3). ENOSYS where the kernel has
/// no keys, EDQUOT where the user has too many.
pub fn join_new_session() -> Result<(), Errno> {
    // SAFETY: a null name asks for a new keyring; the call touches no memory.
    super::check(unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<u8>()) })
        .map(drop)
}
