//! Connections that the kernel follows: linux/netfilter/nfnetlink_conntrack.h.

use super::ruleset::nested;
use super::socket::{Frame, Socket};
use super::sockets::Protocol;
use chain::Result;
use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::errno::Errno;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET`.
const GET: u16 = 1 << 8 | 1;
/// The length of struct nfgenmsg.
const HEAD: usize = 4;

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// What it speaks.
    pub protocol: Protocol,
    /// Where its first packet went.
    pub to: SocketAddr,
    /// Where answers come from; another place when addresses are translated.
    pub answers: SocketAddr,
}

/// The connections of TCP and UDP that are followed in the network namespace that this process is in.
pub fn list() -> Result<Vec<Flow>> {
    let mut socket = Socket::open(NETLINK_NETFILTER)?;
    let frame = Frame { kind: GET, flags: NLM_F_ACK | NLM_F_DUMP, body: vec![0; HEAD] };
    let mut flows = Vec::new();
    let refusal = match socket.exchange(&[frame], |_, _, body| flows.extend(flow(body))) {
        Ok(refusals) => refusals.into_iter().flatten().next(),
        Err(errno) => Some(errno.into()),
    };
    match refusal {
        // Flows come and go; a kernel without them has none.
        Some(refusal) if ![Errno::EINTR, Errno::EINVAL, Errno::EOPNOTSUPP].contains(&refusal.errno) => {
            Err(refusal.of("list the connections that are followed"))
        }
        _ => Ok(flows),
    }
}

fn flow(body: &[u8]) -> Option<Flow> {
    let body = body.get(HEAD..)?;
    // CTA_TUPLE_ORIG and CTA_TUPLE_REPLY.
    let (original, reply) = (find(body, 1)?, find(body, 2)?);
    // CTA_PROTO_NUM.
    let protocol = Protocol::of(*find(find(original, 2)?, 1)?.first()?)?;
    Some(Flow { protocol, to: end(original, [2, 4], 3)?, answers: end(reply, [1, 3], 2)? })
}

/// One end: `CTA_IP_V4_*` and `CTA_IP_V6_*` of the address, `CTA_PROTO_*` of the port.
fn end(tuple: &[u8], addresses: [u16; 2], port: u16) -> Option<SocketAddr> {
    let ip = find(tuple, 1)?;
    let v4 = || Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(find(ip, addresses[0])?).ok()?)));
    let v6 = || Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(find(ip, addresses[1])?).ok()?)));
    let port = u16::from_be_bytes(find(find(tuple, 2)?, port)?.get(..2)?.try_into().ok()?);
    Some(SocketAddr::new(v4().or_else(v6)?, port))
}

fn find(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    nested(bytes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}
