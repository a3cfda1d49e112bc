//! Datagrams with the address that they were sent to: on a host with several, who has asked one of them does not take
//! an answer from another. ip(7), IP_PKTINFO; ipv6(7), IPV6_RECVPKTINFO.

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};
use nix::{cmsg_space, libc};
use rustix::io;
use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

/// One that has come.
#[derive(Debug)]
pub struct Datagram {
    /// Its length, in bytes.
    pub length: usize,
    /// Who has sent it.
    pub from: SocketAddr,
    /// To which address of this host.
    pub to: Option<IpAddr>,
}

/// Has the socket tell [`Datagram::to`].
pub fn tell_addresses(socket: &OwnedFd, at: SocketAddr) -> io::Result<()> {
    let result = match at {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4PacketInfo, &true),
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true),
    };
    result.map_err(|errno| io::Errno::from_raw_os_error(errno as i32))
}

/// Takes one.
pub fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Datagram, Errno> {
    let mut control = cmsg_space!(libc::in6_pktinfo);
    let mut into = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut into,
        Some(&mut control),
        MsgFlags::MSG_DONTWAIT,
    )?;
    let to = message.cmsgs()?.find_map(|info| match info {
        ControlMessageOwned::Ipv4PacketInfo(info) => Some(v4(info.ipi_addr)),
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into()),
        _ => None,
    });
    let from = message.address.as_ref().and_then(address).ok_or(Errno::EAFNOSUPPORT)?;
    Ok(Datagram { length: message.bytes, from, to })
}

/// In the order of the network, which is how it lies in memory.
fn v4(address: libc::in_addr) -> IpAddr {
    Ipv4Addr::from(address.s_addr.to_ne_bytes()).into()
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|at| SocketAddr::V4((*at).into()));
    v4.or_else(|| storage.as_sockaddr_in6().map(|at| SocketAddr::V6((*at).into())))
}

/// Sends one, from this address of this host.
pub fn send(socket: &OwnedFd, bytes: &[u8], from: Option<IpAddr>, to: SocketAddr) -> Result<(), Errno> {
    let send = |control: &[ControlMessage<'_>]| {
        let to = SockaddrStorage::from(to);
        sendmsg(socket.as_raw_fd(), &[IoSlice::new(bytes)], control, MsgFlags::MSG_DONTWAIT, Some(&to))
            .map(drop)
    };
    match from {
        None => send(&[]),
        Some(IpAddr::V4(from)) => {
            let source = libc::in_addr { s_addr: u32::from_ne_bytes(from.octets()) };
            let info = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: source };
            send(&[ControlMessage::Ipv4PacketInfo(&info)])
        }
        Some(IpAddr::V6(from)) => {
            let ipi6_addr = libc::in6_addr { s6_addr: from.octets() };
            send(&[ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo { ipi6_addr, ipi6_ifindex: 0 })])
        }
    }
}
