//! The sockets outside, opened before anything else is made: a port that cannot be had is told at once.

use crate::attach::ports::taken;
use crate::published::{Protocol, Published};
use chain::Result;
use rustix::io;
use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

/// How many may wait to be accepted; the kernel takes net.core.somaxconn for more.
const BACKLOG: i32 = 4096;

/// A socket of this host, and what it is for.
#[derive(Debug)]
pub struct Listener {
    /// The socket, which does not wait.
    pub socket: OwnedFd,
    /// What is spoken.
    pub protocol: Protocol,
    /// The address of this host; all of its family when unspecified.
    pub address: IpAddr,
    /// The port inside.
    pub inside: u16,
}

/// Opens one for each port.
pub fn open(ports: &[Published]) -> Result<Vec<Listener>> {
    let pairs = ports.iter().flat_map(|port| port.pairs().map(move |pair| (port, pair)));
    pairs
        .map(|(port, (host, inside))| {
            let socket = open_one(port.protocol, SocketAddr::new(port.address, host));
            let socket = socket.map_err(|errno| taken(port, host, &errno.into()))?;
            Ok(Listener { socket, protocol: port.protocol, address: port.address, inside })
        })
        .collect()
}

fn open_one(protocol: Protocol, at: SocketAddr) -> io::Result<OwnedFd> {
    let kind = match protocol {
        Protocol::Tcp => SocketType::STREAM,
        Protocol::Udp => SocketType::DGRAM,
    };
    let socket = socket_with(family(at), kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if at.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    if protocol == Protocol::Tcp {
        // Connections that have ended do not keep the port: socket(7), and tcp(7) of TIME_WAIT.
        set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &at)?;
    match protocol {
        Protocol::Tcp => listen(&socket, BACKLOG)?,
        Protocol::Udp => super::datagram::tell_addresses(&socket, at)?,
    }
    Ok(socket)
}

/// The family of an address.
pub fn family(at: SocketAddr) -> AddressFamily {
    if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 }
}
