//! What is known of the hosts on a link: rtnetlink(7), `RTM_GETNEIGH`.

use super::message::contents;
use super::{Message, Request, Route};
use crate::mac::Mac;
use chain::Result;
use netlink_packet_core::Parseable;
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use nix::libc::RTM_NEWNEIGH;
use std::net::IpAddr;

/// A host on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// The number of the interface that leads to it.
    pub index: u32,
    /// Its address.
    pub ip: IpAddr,
    /// Its Ethernet address, once it is known.
    pub mac: Option<Mac>,
    /// How sure the kernel is of it.
    pub state: NeighbourState,
}

impl Neighbour {
    fn of(message: &NeighbourMessage) -> Option<Self> {
        let mut found = (None, None);
        for attribute in &message.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet(ip)) => found.0 = Some((*ip).into()),
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(ip)) => found.0 = Some((*ip).into()),
                NeighbourAttribute::LinkLayerAddress(bytes) => {
                    found.1 = bytes.as_slice().try_into().ok().map(Mac);
                }
                _ => {}
            }
        }
        let (index, state) = (message.header.ifindex, message.header.state);
        Some(Neighbour { index, ip: found.0?, mac: found.1, state })
    }
}

/// All that are known.
pub fn list(route: &mut Route) -> Result<Vec<Neighbour>> {
    let request = Request::dump("list neighbours", Message::GetNeighbour(NeighbourMessage::default()));
    let answers = route.ask(request)?;
    let messages = contents(&answers, RTM_NEWNEIGH, NeighbourMessage::parse);
    Ok(messages.filter_map(|message| Neighbour::of(&message)).collect())
}
