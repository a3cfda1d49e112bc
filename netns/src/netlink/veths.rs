//! Pairs of interfaces, what goes in at one end comes out at the other: veth(4).

use super::links::{Settings, named};
use super::{Message, Request};
use crate::interface::Interface;
use crate::namespace::Namespace;
use netlink_packet_route::link::{InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo};
use std::os::fd::{AsFd, AsRawFd};

/// Makes a pair: `near` in the namespace of the connection, `far` in another one or, with `None`, there too.
///
/// The kernel can set `near` up in the same step, but not `far` (ENOTCONN), nor put that into a bridge elsewhere.
pub fn pair(
    near: &Interface,
    near_settings: &Settings,
    far: &Interface,
    far_settings: &Settings,
    to: Option<&Namespace>,
) -> Request {
    let mut peer = named(far);
    far_settings.put(&mut peer);
    peer.attributes.extend(to.map(|to| LinkAttribute::NetNsFd(to.as_fd().as_raw_fd())));
    let mut message = named(near);
    near_settings.put(&mut message);
    let data = LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer)));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), data]));
    Request::create(format!("make the pair {near} and {far}"), Message::NewLink(message))
}
