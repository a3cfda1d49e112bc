//! Interfaces as ports of a bridge: bridge(8), `bridge link`.

use super::links::Settings;
use super::{Message, Request};
use netlink_packet_route::link::{
    InfoBridgePort, InfoPortData, InfoPortKind, LinkAttribute, LinkInfo, LinkMessage,
};

/// What a port does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// It may get back what it has sent.
    pub is_hairpin: bool,
    /// It does not reach other isolated ports.
    pub is_isolated: bool,
}

/// Sets the port with this number; `what` follows "cannot".
pub fn set(what: impl Into<String>, index: u32, port: Port, settings: &Settings) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    settings.put(&mut message);
    let data = vec![InfoBridgePort::HairpinMode(port.is_hairpin), InfoBridgePort::Isolated(port.is_isolated)];
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(data)),
    ]));
    Request::new(what, Message::NewLink(message))
}
