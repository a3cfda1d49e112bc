//! The loopback interface, and sockets of packets.

use nix::errno::Errno;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Sets `lo` of this process's network namespace up: netdevice(7), SIOCGIFFLAGS and SIOCSIFFLAGS.
pub fn loopback_up() -> Result<(), Errno> {
    // SAFETY: the call takes three numbers.
    let fd = super::check(
        unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) }.into(),
    )?;
    // SAFETY: the descriptor is new and nobody else's.
    let socket = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    // SAFETY: ifreq is plain data, valid when zeroed, which also ends the name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    ioctl(&socket, libc::SIOCGIFFLAGS, &mut request)?;
    // SAFETY: SIOCGIFFLAGS has just filled this member of the union.
    unsafe { request.ifr_ifru.ifru_flags |= libc::IFF_UP as libc::c_short };
    ioctl(&socket, libc::SIOCSIFFLAGS, &mut request)
}

fn ioctl(socket: &OwnedFd, number: libc::Ioctl, request: &mut libc::ifreq) -> Result<(), Errno> {
    // SAFETY: both requests read and write one ifreq, and `request` is one.
    super::check(unsafe { libc::ioctl(socket.as_raw_fd(), number, &raw mut *request) }.into()).map(drop)
}

/// How many packets a packet(7) socket had no room for since it was last asked, `PACKET_STATISTICS`.
pub fn dropped(socket: BorrowedFd<'_>) -> Result<u32, Errno> {
    // struct tpacket_stats of linux/if_packet.h: packets and drops.
    let mut stats = [0; 8];
    option(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut stats)?;
    let [_, _, _, _, drops @ ..] = stats;
    Ok(u32::from_ne_bytes(drops))
}

/// Asks a socket for an option, getsockopt(2), and gives how many bytes of `value` were written. What stands in
/// `value` before is a part of some questions.
pub fn option(socket: BorrowedFd<'_>, level: i32, name: i32, value: &mut [u8]) -> Result<usize, Errno> {
    let mut length = libc::socklen_t::try_from(value.len()).map_err(|_| Errno::EINVAL)?;
    // SAFETY: the kernel reads and writes at most `length` bytes, which is the size of `value`.
    super::check(
        unsafe {
            libc::getsockopt(socket.as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut length)
        }
        .into(),
    )
    .map(|_| length as usize)
}
