//! Flows that the kernel remembers: one of UDP goes on to where it went before its port was published.

use super::Nft;
use super::attributes::{bytes, find, nested};
use crate::netlink::socket::{Frame, Refusal};
use netlink_packet_core::NLM_F_ACK;
use std::collections::BTreeSet;

/// `NFNL_SUBSYS_CTNETLINK`, with `IPCTNL_MSG_CT_*`.
const GET: u16 = 1 << 8 | 1;
const DELETE: u16 = 1 << 8 | 2;
// CTA_*, CTA_TUPLE_* and CTA_PROTO_* of linux/netfilter/nfnetlink_conntrack.h.
const ORIGINAL: u16 = 1;
const ID: u16 = 12;
const ZONE: u16 = 18;
const PROTOCOL: u16 = 2;
const NUMBER: u16 = 1;
const TO_PORT: u16 = 3;
const UDP: u8 = 17;

/// Forgets the flows of UDP to these ports of this host, so that the next packet is looked at anew.
pub fn forget_udp(nft: &mut Nft, ports: &BTreeSet<u16>) -> Result<(), Refusal> {
    let mut found = Vec::new();
    let question = Frame { kind: GET, flags: 0, body: vec![0; 4] };
    nft.dump(question, |family, attributes| found.extend(removal(family, attributes, ports)))?;
    // One that has ended meanwhile is as good.
    nft.try_each(&found)
}

fn removal(family: u8, attributes: &[u8], ports: &BTreeSet<u16>) -> Option<Frame> {
    let original = find(attributes, ORIGINAL)?;
    let protocol = find(original, PROTOCOL)?;
    let port = u16::from_be_bytes(find(protocol, TO_PORT)?.try_into().ok()?);
    if find(protocol, NUMBER)? != [UDP] || !ports.contains(&port) {
        return None;
    }
    let mut body = vec![family, 0, 0, 0];
    body.extend(nested(ORIGINAL, original));
    body.extend(
        [ID, ZONE].into_iter().filter_map(|kind| Some(bytes(kind, find(attributes, kind)?))).flatten(),
    );
    Some(Frame { kind: DELETE, flags: NLM_F_ACK, body })
}
