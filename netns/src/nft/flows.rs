//! Flows that the kernel remembers: one of UDP goes on to where it went before its port was published.

use super::Nft;
use super::attributes::{bytes, find, nested};
use crate::netlink::socket::{Frame, Refusal};
use netlink_packet_core::NLM_F_ACK;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// `NFNL_SUBSYS_CTNETLINK`, with `IPCTNL_MSG_CT_*`.
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
// CTA_*, CTA_TUPLE_* and CTA_PROTO_* of linux/netfilter/nfnetlink_conntrack.h.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const ADDRESSES: u16 = 1;
const SOURCE_V4: u16 = 1;
const SOURCE_V6: u16 = 3;
const ID: u16 = 12;
const ZONE: u16 = 18;
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
const TO_PORT: u16 = 3;
const UDP: u8 = 17;

/// A flow, as far as it is looked at here.
#[derive(Debug)]
pub struct Flow {
    /// Where answers come from; another place than where the first packet went when addresses are translated.
    pub answers: IpAddr,
}

/// Has the kernel forget some flows.
pub fn forget(nft: &mut Nft, is_meant: impl Fn(&Flow) -> bool) -> Result<(), Refusal> {
    let mut found = Vec::new();
    let question = Frame { kind: GET, flags: 0, body: vec![0; 4] };
    nft.dump(question, |family, attributes| {
        if flow(attributes).is_some_and(|flow| is_meant(&flow)) {
            found.extend(removal(family, attributes));
        }
    })?;
    nft.try_each(&found)
}

fn flow(attributes: &[u8]) -> Option<Flow> {
    let addresses = find(find(attributes, REPLY)?, ADDRESSES)?;
    let v4 = || Some(IpAddr::from(<[u8; 4]>::try_from(find(addresses, SOURCE_V4)?).ok()?));
    let v6 = || Some(IpAddr::from(<[u8; 16]>::try_from(find(addresses, SOURCE_V6)?).ok()?));
    Some(Flow { answers: v4().or_else(v6)? })
}

/// Forgets the flows of UDP to these ports of this host, so that the next packet is looked at anew.
pub fn forget_udp(nft: &mut Nft, ports: &BTreeSet<u16>) -> Result<(), Refusal> {
    let mut found = Vec::new();
    let question = Frame { kind: GET, flags: 0, body: vec![0; 4] };
    nft.dump(question, |family, attributes| {
        if is_udp_to(attributes, ports).unwrap_or(false) {
            found.extend(removal(family, attributes));
        }
    })?;
    // One that has ended meanwhile is as good.
    nft.try_each(&found)
}

fn is_udp_to(attributes: &[u8], ports: &BTreeSet<u16>) -> Option<bool> {
    let protocol = find(find(attributes, ORIGINAL)?, PROTOCOL)?;
    let port = u16::from_be_bytes(find(protocol, TO_PORT)?.try_into().ok()?);
    Some(find(protocol, NUMBER)? == [UDP] && ports.contains(&port))
}

fn removal(family: u8, attributes: &[u8]) -> Option<Frame> {
    let mut body = vec![family, 0, 0, 0];
    body.extend(nested(ORIGINAL, find(attributes, ORIGINAL)?));
    body.extend(
        [ID, ZONE].into_iter().filter_map(|kind| Some(bytes(kind, find(attributes, kind)?))).flatten(),
    );
    Some(Frame { kind: DELETE, flags: NLM_F_ACK, body })
}
