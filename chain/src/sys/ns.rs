//! What leads from one namespace to another, or from a number to one: ioctl_nsfs(2), open_by_handle_at(2).

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// `NS_GET_USERNS`, `NS_GET_NSTYPE` and `NS_GET_ID` of linux/nsfs.h.
const NS_GET_USERNS: libc::Ioctl = 0xb701;
const NS_GET_NSTYPE: libc::Ioctl = 0xb703;
const NS_GET_ID: libc::Ioctl = 0x8008_b70d_u32 as libc::Ioctl;

/// The user namespace that owns the namespace `fd`; of a user namespace, its parent. EPERM when it is not this
/// process's own or one below that.
pub fn owner(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    new_fd(fd, NS_GET_USERNS)
}

/// The `CLONE_NEW*` bit of the namespace `fd`; ENOTTY for what is none.
pub fn flag_of(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    // SAFETY: the request takes no argument.
    super::check(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE) }.into()).map(|flag| flag as u64)
}

/// The network namespace of a socket: Linux 3.19, CAP_NET_ADMIN in the user namespace that owns it. ENOTTY for what
/// is no socket.
pub fn of_socket(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    new_fd(socket, libc::SIOCGSKNS as libc::Ioctl)
}

fn new_fd(fd: BorrowedFd<'_>, request: libc::Ioctl) -> Result<OwnedFd, Errno> {
    // SAFETY: both requests take no argument; the zero is for those that look at one.
    let fd = super::check(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) }.into())?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// The 64-bit id of the namespace `fd`, never given twice: Linux 6.18; ENOTTY before.
pub fn id(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    let mut id = 0_u64;
    // SAFETY: the request writes one u64, and `id` is one.
    super::check(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_ID, &raw mut id) }.into()).map(|_| id)
}

/// struct file_handle of fcntl.h, and struct nsfs_file_handle of linux/nsfs.h in it.
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    id: u64,
    namespace_type: u32,
    namespace_inode: u32,
}

/// `FILEID_NSFS` of linux/exportfs.h and `FD_NSFS_ROOT` of linux/fcntl.h.
const FILEID_NSFS: i32 = 0xf1;
const FD_NSFS_ROOT: i32 = -10_003;

/// The namespace with this 64-bit id, whichever kind it is of: Linux 6.19. ESTALE when there is none, and on 6.18;
/// EBADF, EINVAL or EOPNOTSUPP before.
pub fn by_id(id: u64) -> Result<OwnedFd, Errno> {
    // Zero stands for any kind and any inode.
    let mut handle = Handle { bytes: 16, kind: FILEID_NSFS, id, namespace_type: 0, namespace_inode: 0 };
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: `handle` is a live file_handle with the 16 bytes that it says follow its head.
    let fd = super::check(unsafe {
        libc::syscall(libc::SYS_open_by_handle_at, FD_NSFS_ROOT, &raw mut handle, flags)
    })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;

    #[test]
    fn a_handle_has_no_gaps() {
        assert_eq!(size_of::<Handle>(), 8 + 16);
    }

    #[test]
    fn an_id_leads_back_to_its_namespace_where_the_kernel_can() {
        let own = File::open("/proc/self/ns/net").unwrap();
        let Ok(number) = id(own.as_fd()) else { return };
        match by_id(number) {
            Ok(found) => assert_eq!(id(found.as_fd()), Ok(number)),
            Err(errno) => assert_eq!(errno, Errno::ESTALE),
        }
    }

    #[test]
    fn only_a_socket_has_a_network() {
        let file = File::open("/proc/self/ns/net").unwrap();
        assert_eq!(of_socket(file.as_fd()).unwrap_err(), Errno::ENOTTY);
    }
}
