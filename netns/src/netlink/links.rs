//! Interfaces: rtnetlink(7), `RTM_*LINK`.

use super::message::contents;
use super::{Answer, Message, Request, Route};
use crate::interface::Interface;
use crate::mac::Mac;
use chain::{Error, Result};
use netlink_packet_core::{DecodeError, Emitable, NlasIterator};
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkHeader, LinkInfo, LinkMessage};
use nix::errno::Errno;
use nix::libc;

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
    /// What a message tells. Of some sixty attributes it reads these few, which is what makes long lists quick.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        let header = LinkHeader::parse(body)?;
        let mut link = Link {
            index: header.index,
            name: String::new(),
            kind: String::new(),
            is_up: header.flags.contains(LinkFlags::Up),
            has_carrier: header.flags.contains(LinkFlags::LowerUp),
            is_loopback: header.flags.contains(LinkFlags::Loopback),
            mtu: 0,
            mac: None,
            master: None,
            peer: None,
            peer_nsid: None,
            has_hairpin: false,
            alias: None,
            group: 0,
        };
        for attribute in NlasIterator::new(body.get(header.buffer_len()..).unwrap_or_default()).flatten() {
            link.learn(attribute.kind(), attribute.value());
        }
        Ok(link)
    }

    fn learn(&mut self, attribute: u16, value: &[u8]) {
        match attribute {
            libc::IFLA_IFNAME => self.name = text(value),
            libc::IFLA_MTU => self.mtu = number(value).unwrap_or(0),
            libc::IFLA_ADDRESS => self.mac = value.try_into().ok().map(Mac),
            libc::IFLA_MASTER => self.master = number(value),
            libc::IFLA_LINK => self.peer = number(value),
            libc::IFLA_LINK_NETNSID => self.peer_nsid = number(value).map(u32::cast_signed),
            libc::IFLA_IFALIAS => self.alias = Some(text(value)),
            libc::IFLA_GROUP => self.group = number(value).unwrap_or(0),
            libc::IFLA_LINKINFO => {
                for info in NlasIterator::new(value).flatten() {
                    match info.kind() {
                        libc::IFLA_INFO_KIND => self.kind = text(info.value()),
                        libc::IFLA_INFO_SLAVE_DATA => self.has_hairpin = has_hairpin(info.value()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Of what a port of a bridge says: linux/if_link.h. Ports of other kinds say nothing as short as this.
fn has_hairpin(port: &[u8]) -> bool {
    const IFLA_BRPORT_MODE: u16 = 4;
    NlasIterator::new(port).flatten().any(|nla| nla.kind() == IFLA_BRPORT_MODE && nla.value() == [1])
}

fn number(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

/// Text of the kernel ends with a zero.
fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
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

/// The refusal of what is about an interface that is not there.
pub const GONE: &[Errno] = &[Errno::ENODEV];

/// Removes an interface, of a pair both; that it is not there is no failure.
pub fn remove(interface: &Interface) -> Request {
    let request = Request::new(format!("remove {interface}"), Message::DelLink(named(interface)));
    request.tolerate(GONE)
}

/// Removes all interfaces of a group at once; that there are none is no failure.
pub fn remove_group(group: u32) -> Request {
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::Group(group));
    Request::new("remove interfaces", Message::DelLink(message)).tolerate(GONE)
}

/// Asks for one interface; the answer is for [`links`].
pub fn get(interface: &Interface) -> Request {
    Request::new(format!("find {interface}"), Message::GetLink(named(interface)))
}

/// The interfaces among answers.
pub fn links(answers: &[Answer]) -> impl Iterator<Item = Link> {
    contents(answers, libc::RTM_NEWLINK, Link::parse)
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

/// The same, by its number.
pub fn look_index(route: &mut Route, index: u32) -> Result<Option<Link>> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    let request = Request::new(format!("find the interface number {index}"), Message::GetLink(message));
    let found = route.ask(request.tolerate(&[Errno::ENODEV]))?;
    Ok(links(&found).next())
}

/// All interfaces.
pub fn list(route: &mut Route) -> Result<Vec<Link>> {
    let all = route.ask(Request::dump("list interfaces", Message::GetLink(LinkMessage::default())))?;
    Ok(links(&all).collect())
}
