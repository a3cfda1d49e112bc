//! Interfaces: rtnetlink(7), `RTM_*LINK`.

use super::{Request, Route};
use crate::interface::Interface;
use crate::mac::Mac;
use crate::namespace::Namespace;
use chain::{Error, Result};
use netlink_packet_route::RouteNetlinkMessage as Message;
use netlink_packet_route::link::{
    InfoBridgePort, InfoKind, InfoPortData, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use nix::errno::Errno;
use std::os::fd::{AsFd, AsRawFd};

/// What is known of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in its network namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// `veth`, `bridge` and so on; empty for lo and for hardware.
    pub kind: String,
    /// It is set up.
    pub is_up: bool,
    /// It is up, and so is what it is connected to.
    pub has_carrier: bool,
    /// It is the loopback interface.
    pub is_loopback: bool,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Its Ethernet address.
    pub mac: Option<Mac>,
    /// The number of the bridge that it is a port of.
    pub master: Option<u32>,
    /// The number of the other end of a pair, or of what lies below; in the namespace `peer_nsid`.
    pub peer: Option<u32>,
    /// The namespace of the other end, where that is another one.
    pub peer_nsid: Option<i32>,
    /// As a port of a bridge: what comes in there may go out there again.
    pub has_hairpin: bool,
    /// The text that was put on it, `ip link set alias`.
    pub alias: Option<String>,
    /// Its group, 0 when none was given.
    pub group: u32,
}

impl Link {
    /// What a message tells.
    pub fn of(message: &LinkMessage) -> Self {
        let flags = message.header.flags;
        let mut link = Link {
            index: message.header.index,
            name: String::new(),
            kind: String::new(),
            is_up: flags.contains(LinkFlags::Up),
            has_carrier: flags.contains(LinkFlags::LowerUp),
            is_loopback: flags.contains(LinkFlags::Loopback),
            mtu: 0,
            mac: None,
            master: None,
            peer: None,
            peer_nsid: None,
            has_hairpin: false,
            alias: None,
            group: 0,
        };
        message.attributes.iter().for_each(|attribute| link.learn(attribute));
        link
    }

    fn learn(&mut self, attribute: &LinkAttribute) {
        match attribute {
            LinkAttribute::IfName(name) => self.name.clone_from(name),
            LinkAttribute::Mtu(mtu) => self.mtu = *mtu,
            LinkAttribute::Address(bytes) => self.mac = bytes.as_slice().try_into().ok().map(Mac),
            LinkAttribute::Controller(index) => self.master = Some(*index),
            LinkAttribute::Link(index) => self.peer = Some(*index),
            LinkAttribute::LinkNetNsId(id) => self.peer_nsid = Some(*id),
            LinkAttribute::IfAlias(text) => self.alias = Some(text.clone()),
            LinkAttribute::Group(group) => self.group = *group,
            LinkAttribute::LinkInfo(infos) => {
                let kind = infos.iter().find_map(|info| match info {
                    LinkInfo::Kind(kind) => Some(kind.to_string()),
                    _ => None,
                });
                self.kind = kind.unwrap_or_default();
                self.has_hairpin = infos.iter().any(is_hairpin);
            }
            _ => {}
        }
    }
}

fn is_hairpin(info: &LinkInfo) -> bool {
    let LinkInfo::PortData(InfoPortData::BridgePort(port)) = info else { return false };
    port.contains(&InfoBridgePort::HairpinMode(true))
}

/// What can be set of an interface, when it is made and later. What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Up or down.
    pub up: Option<bool>,
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
    /// The Ethernet address.
    pub mac: Option<Mac>,
    /// The bridge to be a port of; 0 for none.
    pub master: Option<u32>,
    /// A text to put on it, up to 255 bytes.
    pub alias: Option<String>,
    /// A group, by which many can be removed at once.
    pub group: Option<u32>,
}

impl Settings {
    /// Nothing but up.
    pub fn up() -> Self {
        Settings { up: Some(true), ..Settings::default() }
    }

    /// Adds what is set to a message.
    pub(super) fn put(&self, message: &mut LinkMessage) {
        if let Some(up) = self.up {
            message.header.change_mask |= LinkFlags::Up;
            message.header.flags.set(LinkFlags::Up, up);
        }
        message.attributes.extend(
            [
                self.mtu.map(LinkAttribute::Mtu),
                self.mac.map(|mac| LinkAttribute::Address(mac.0.to_vec())),
                self.master.map(LinkAttribute::Controller),
                self.alias.clone().map(LinkAttribute::IfAlias),
                self.group.map(LinkAttribute::Group),
            ]
            .into_iter()
            .flatten(),
        );
    }
}

/// A message about the interface of this name.
pub(super) fn named(interface: &Interface) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName(interface.to_string()));
    message
}

/// Makes an interface of a kind that needs nothing else, such as a bridge.
pub fn add(interface: &Interface, kind: InfoKind, settings: &Settings) -> Request {
    let mut message = named(interface);
    settings.put(&mut message);
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]));
    Request::create(format!("make {interface}"), Message::NewLink(message))
}

/// Changes an interface; `what` follows "cannot".
pub fn set(what: impl Into<String>, interface: &Interface, settings: &Settings) -> Request {
    let mut message = named(interface);
    settings.put(&mut message);
    Request::new(what, Message::NewLink(message))
}

/// The same, by its number.
pub fn set_index(what: impl Into<String>, index: u32, settings: &Settings) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    settings.put(&mut message);
    Request::new(what, Message::SetLink(message))
}

/// Moves an interface into another namespace. Down, and without addresses, is how it arrives.
pub fn hand_over(interface: &Interface, to: &Namespace) -> Request {
    let mut message = named(interface);
    message.attributes.push(LinkAttribute::NetNsFd(to.as_fd().as_raw_fd()));
    Request::new(format!("move {interface} to {}", to.what()), Message::NewLink(message))
}

/// Removes an interface, of a pair both; that it is not there is no failure.
pub fn remove(interface: &Interface) -> Request {
    let request = Request::new(format!("remove {interface}"), Message::DelLink(named(interface)));
    request.tolerate(&[Errno::ENODEV])
}

/// Asks for one interface; the answer is for [`links`].
pub fn get(interface: &Interface) -> Request {
    Request::new(format!("find {interface}"), Message::GetLink(named(interface)))
}

/// The interfaces among answers.
pub fn links(answers: &[Message]) -> impl Iterator<Item = Link> + '_ {
    answers.iter().filter_map(|answer| match answer {
        Message::NewLink(message) => Some(Link::of(message)),
        _ => None,
    })
}

/// One interface.
pub fn find(route: &mut Route, interface: &Interface) -> Result<Link> {
    let found = route.ask(get(interface))?;
    links(&found).next().ok_or_else(|| Error::os(format_args!("find {interface}"), Errno::ENODEV))
}

/// One interface, if there is such a one.
pub fn look(route: &mut Route, interface: &Interface) -> Result<Option<Link>> {
    let found = route.ask(get(interface).tolerate(&[Errno::ENODEV]))?;
    Ok(links(&found).next())
}

/// All interfaces.
pub fn list(route: &mut Route) -> Result<Vec<Link>> {
    let all = route.ask(Request::dump("list interfaces", Message::GetLink(LinkMessage::default())))?;
    Ok(links(&all).collect())
}
