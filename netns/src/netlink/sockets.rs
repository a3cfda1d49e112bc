//! Sockets that wait for what comes in: sock_diag(7).

use super::socket::{Frame, Socket};
use chain::Result;
use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use nix::errno::Errno;
use nix::libc::{AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h.
const BY_FAMILY: u16 = 20;
/// The length of struct inet_diag_req_v2 of linux/inet_diag.h.
const REQUEST: usize = 56;
/// States of net/tcp_states.h: a TCP socket that listens, a UDP socket that is not connected.
const LISTEN: u32 = 1 << 10;
const CLOSE: u32 = 1 << 7;

/// What is spoken on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// tcp(7)
    Tcp,
    /// udp(7)
    Udp,
}

impl Protocol {
    /// Its number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Protocol::Tcp => IPPROTO_TCP as u8,
            Protocol::Udp => IPPROTO_UDP as u8,
        }
    }

    /// The protocol with this number on the wire.
    pub fn of(number: u8) -> Option<Self> {
        [Protocol::Tcp, Protocol::Udp].into_iter().find(|protocol| protocol.number() == number)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

/// A socket that waits for what comes in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listener {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where it waits; a port of all addresses has the unspecified one.
    pub at: SocketAddr,
    /// What /proc/PID/fd shows for it, `socket:[INODE]`.
    pub inode: u32,
}

/// A connection to the network namespace that this process is in.
#[derive(Debug)]
pub struct Sockets(Socket);

impl Sockets {
    /// Opens it.
    pub fn open() -> Result<Self> {
        Socket::open(NETLINK_SOCK_DIAG).map(Sockets)
    }

    /// The listeners of these protocols, sorted.
    pub fn listeners(&mut self, protocols: &[Protocol]) -> Result<Vec<Listener>> {
        let mut all = Vec::new();
        for protocol in protocols {
            for family in [AF_INET, AF_INET6] {
                self.of_family(*protocol, family as u8, &mut all)?;
            }
        }
        all.sort_unstable();
        Ok(all)
    }

    fn of_family(&mut self, protocol: Protocol, family: u8, all: &mut Vec<Listener>) -> Result<()> {
        let frame = Frame { kind: BY_FAMILY, flags: NLM_F_ACK | NLM_F_DUMP, body: request(protocol, family) };
        let take = |_, _, body: &[u8]| all.extend(listener(protocol, body));
        let refusal = match self.0.exchange(&[frame], take) {
            Ok(refusals) => refusals.into_iter().flatten().next(),
            Err(errno) => Some(errno.into()),
        };
        match refusal {
            // A kernel without IPv6 has no such sockets; a list that changed while it was read has them all.
            Some(refusal) if refusal.errno != Errno::ENOENT && refusal.errno != Errno::EINTR => {
                Err(refusal.of(&format!("list the sockets of {protocol}")))
            }
            _ => Ok(()),
        }
    }
}

fn request(protocol: Protocol, family: u8) -> Vec<u8> {
    let states = match protocol {
        Protocol::Tcp => LISTEN,
        Protocol::Udp => CLOSE,
    };
    let mut body = vec![family, protocol.number(), 0, 0];
    body.extend(states.to_ne_bytes());
    body.resize(REQUEST, 0);
    body
}

/// Reads struct inet_diag_msg of linux/inet_diag.h.
fn listener(protocol: Protocol, body: &[u8]) -> Option<Listener> {
    let port = u16::from_be_bytes(body.get(4..6)?.try_into().ok()?);
    let ip: IpAddr = match i32::from(*body.first()?) {
        AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(body.get(8..12)?).ok()?).into(),
        AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(body.get(8..24)?).ok()?).into(),
        _ => return None,
    };
    let inode = u32::from_ne_bytes(body.get(68..72)?.try_into().ok()?);
    // What is connected but in no other state has no port of its own yet.
    (port != 0).then_some(Listener { protocol, at: SocketAddr::new(ip, port), inode })
}
