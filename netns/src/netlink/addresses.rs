//! Addresses of interfaces: rtnetlink(7), `RTM_*ADDR`.

use super::message::contents;
use super::{Message, Request, Route};
use crate::cidr::Cidr;
use chain::Result;
use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope,
};
use nix::errno::Errno;
use nix::libc::RTM_NEWADDR;
use std::net::{IpAddr, Ipv4Addr};

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The number of the interface.
    pub index: u32,
    /// The address.
    pub cidr: Cidr,
    /// How far it is known: the whole net, the link, or this host.
    pub scope: AddressScope,
    /// The kernel still looks whether another host has it (IPv6).
    pub is_tentative: bool,
}

impl Address {
    /// What a message tells; `None` for addresses of another kind.
    pub fn of(message: &AddressMessage) -> Option<Self> {
        let find =
            |wanted: fn(&AddressAttribute) -> Option<IpAddr>| message.attributes.iter().find_map(wanted);
        // Of a point-to-point link IFA_ADDRESS is the other end: ifaddr.h.
        let local = find(|attribute| match attribute {
            AddressAttribute::Local(ip) => Some(*ip),
            _ => None,
        });
        let ip = local.or_else(|| {
            find(|attribute| match attribute {
                AddressAttribute::Address(ip) => Some(*ip),
                _ => None,
            })
        })?;
        Some(Address {
            index: message.header.index,
            cidr: Cidr::new(ip, message.header.prefix_len)?,
            scope: message.header.scope,
            is_tentative: message.header.flags.contains(AddressHeaderFlags::Tentative),
        })
    }
}

fn message(index: u32, cidr: Cidr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(cidr.ip);
    message.header.prefix_len = cidr.prefix;
    message.header.index = index;
    message.attributes.push(AddressAttribute::Local(cidr.ip));
    message.attributes.push(AddressAttribute::Address(cidr.ip));
    message
}

/// The number of the address family.
pub fn family(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// Gives the interface with number `index` an address, at once: IPv6 does not look first whether another has it.
/// That the interface has it already is no failure.
pub fn add(index: u32, interface: impl std::fmt::Display, cidr: Cidr) -> Request {
    let mut message = message(index, cidr);
    match broadcast(cidr) {
        Some(broadcast) => message.attributes.push(AddressAttribute::Broadcast(broadcast)),
        None if cidr.ip.is_ipv6() => message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad)),
        None => {}
    }
    let request =
        Request::create(format!("give {interface} the address {cidr}"), Message::NewAddress(message));
    request.tolerate(&[Errno::EEXIST])
}

/// The last address of an IPv4 network of more than two.
fn broadcast(cidr: Cidr) -> Option<Ipv4Addr> {
    match cidr.network() {
        IpAddr::V4(network) if cidr.prefix < 31 => {
            Some((u32::from(network) | (u32::MAX >> cidr.prefix)).into())
        }
        _ => None,
    }
}

/// Takes an address away; that it is not there is no failure.
pub fn remove(index: u32, interface: impl std::fmt::Display, cidr: Cidr) -> Request {
    let what = format!("take {cidr} from {interface}");
    Request::new(what, Message::DelAddress(message(index, cidr))).tolerate(&[Errno::EADDRNOTAVAIL])
}

/// All addresses, IPv4 first.
pub fn list(route: &mut Route) -> Result<Vec<Address>> {
    let mut all = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = AddressMessage::default();
        message.header.family = family;
        // A kernel without IPv6 has no addresses of it.
        let request = Request::dump("list addresses", Message::GetAddress(message));
        let answers = route.ask(request.tolerate(&[Errno::EOPNOTSUPP]))?;
        let messages = contents(&answers, RTM_NEWADDR, AddressMessage::parse);
        all.extend(messages.filter_map(|message| Address::of(&message)));
    }
    Ok(all)
}
