//! Connections that the kernel follows, as translation of addresses does: linux/netfilter/nfnetlink_conntrack.h.

use super::Nft;
use super::attributes::{bytes, find, nested};
use crate::netlink::socket::{Frame, Refusal};
use crate::netlink::sockets::Protocol;
use netlink_packet_core::NLM_F_ACK;
use std::fs;
use std::net::{IpAddr, SocketAddr};

/// `NFNL_SUBSYS_CTNETLINK`, with `IPCTNL_MSG_CT_*`.
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
// CTA_*, CTA_TUPLE_*, CTA_IP_* and CTA_PROTO_*.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ID: u16 = 12;
const ZONE: u16 = 18;
const ADDRESSES: u16 = 1;
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
/// Of an address of IPv4, one of IPv6, and a port.
type End = (u16, u16, u16);
const SOURCE: End = (1, 3, 2);
const DESTINATION: End = (2, 4, 3);

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

/// The connections of TCP and UDP.
pub fn list(nft: &mut Nft) -> Result<Vec<Flow>, Refusal> {
    nft.list(question(), |_, body| flow(body))
}

/// Has the kernel forget some of them, so that their next packets are looked at anew.
pub fn forget(nft: &mut Nft, is_meant: impl Fn(&Flow) -> bool) -> Result<(), Refusal> {
    if are_none() {
        return Ok(());
    }
    let removals = nft.list(question(), |family, body| {
        flow(body).filter(|flow| is_meant(flow)).and_then(|_| removal(family, body))
    })?;
    // One that has ended meanwhile is as good.
    nft.try_each(&removals)
}

/// To ask for a list takes milliseconds even when nothing is on it: the kernel goes through a table for many thousands.
fn are_none() -> bool {
    fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_count").is_ok_and(|count| count.trim() == "0")
}

fn question() -> Frame {
    Frame { kind: GET, flags: 0, body: vec![0; 4] }
}

fn removal(family: u8, attributes: &[u8]) -> Option<Frame> {
    let mut body = vec![family, 0, 0, 0];
    body.extend(nested(ORIGINAL, find(attributes, ORIGINAL)?));
    body.extend(
        [ID, ZONE].into_iter().filter_map(|kind| Some(bytes(kind, find(attributes, kind)?))).flatten(),
    );
    Some(Frame { kind: DELETE, flags: NLM_F_ACK, body })
}

fn flow(attributes: &[u8]) -> Option<Flow> {
    let (original, reply) = (find(attributes, ORIGINAL)?, find(attributes, REPLY)?);
    let protocol = Protocol::of(*find(find(original, PROTOCOL)?, NUMBER)?.first()?)?;
    Some(Flow { protocol, to: end(original, DESTINATION)?, answers: end(reply, SOURCE)? })
}

fn end(tuple: &[u8], (v4, v6, port): End) -> Option<SocketAddr> {
    let ip = find(tuple, ADDRESSES)?;
    let of_v4 = || Some(IpAddr::from(<[u8; 4]>::try_from(find(ip, v4)?).ok()?));
    let of_v6 = || Some(IpAddr::from(<[u8; 16]>::try_from(find(ip, v6)?).ok()?));
    let port = u16::from_be_bytes(find(find(tuple, PROTOCOL)?, port)?.try_into().ok()?);
    Some(SocketAddr::new(of_v4().or_else(of_v6)?, port))
}
