//! Routes of the main table: rtnetlink(7), `RTM_*ROUTE`.

use super::addresses::family;
use super::message::contents;
use super::{Message, Request, Route};
use crate::cidr::Cidr;
use chain::Result;
use netlink_packet_core::Parseable;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteNextHop, RouteProtocol, RouteScope,
    RouteType, RouteVia,
};
use nix::errno::Errno;
use nix::libc::RTM_NEWROUTE;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A way to a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The network; all addresses for the default route.
    pub to: Cidr,
    /// The router; none for what is on the link itself.
    pub via: Option<IpAddr>,
    /// The number of the interface; without it the kernel finds the one that leads to the router.
    pub index: Option<u32>,
    /// The preference among ways to the same network: the lowest goes first.
    pub metric: Option<u32>,
    /// The address that this host uses as its own on it.
    pub from: Option<IpAddr>,
}

impl Way {
    /// The default route of the router's address family.
    pub fn default_via(router: IpAddr) -> Self {
        Way { via: Some(router), ..Way::to(all(router.is_ipv4())) }
    }

    /// The network, and nothing said of how.
    pub fn to(to: Cidr) -> Self {
        Way { to, via: None, index: None, metric: None, from: None }
    }

    /// What a message tells, one way for each router that takes a share; none for what is not of the main table, or
    /// leads nowhere.
    pub fn of(message: &RouteMessage) -> Vec<Self> {
        let RouteHeader { table, kind, destination_prefix_length, .. } = message.header;
        if table != RouteHeader::RT_TABLE_MAIN || kind != RouteType::Unicast {
            return Vec::new();
        }
        let all = all(message.header.address_family == AddressFamily::Inet);
        let way = Way::to(Cidr { prefix: destination_prefix_length, ..all }).with(&message.attributes);
        let shares = message.attributes.iter().find_map(|attribute| match attribute {
            RouteAttribute::MultiPath(hops) => Some(hops.iter().map(|hop| way.clone().by(hop)).collect()),
            _ => None,
        });
        shares.unwrap_or_else(|| vec![way])
    }

    /// Whether it is the default route, or one of those that stand in front of it and together lead as far: a VPN adds
    /// 0.0.0.0/1 and 128.0.0.0/1, or ::/3 and 2000::/4, and leaves the default route as it was. Nobody has a network
    /// of that size.
    pub fn leads_everywhere(&self) -> bool {
        self.to.prefix < 8
    }

    /// Whether it is what `wanted` asks for; the kernel adds what that leaves open.
    pub fn is(&self, wanted: &Way) -> bool {
        let is_same = |has: Option<u32>, wants: Option<u32>| wants.is_none() || has == wants;
        self.to.network() == wanted.to.network()
            && self.to.prefix == wanted.to.prefix
            && self.via == wanted.via
            && is_same(self.index, wanted.index)
            && is_same(self.metric, wanted.metric)
            && (wanted.from.is_none() || self.from == wanted.from)
    }

    fn with(mut self, attributes: &[RouteAttribute]) -> Self {
        attributes.iter().for_each(|attribute| self.learn(attribute));
        self
    }

    fn by(self, hop: &RouteNextHop) -> Self {
        Way { index: Some(hop.interface_index), ..self.with(&hop.attributes) }
    }

    fn learn(&mut self, attribute: &RouteAttribute) {
        match attribute {
            RouteAttribute::Destination(address) => self.to.ip = ip(address).unwrap_or(self.to.ip),
            RouteAttribute::Gateway(address) => self.via = ip(address),
            RouteAttribute::Via(RouteVia::Inet6(ip)) => self.via = Some((*ip).into()),
            RouteAttribute::PrefSource(address) => self.from = ip(address),
            RouteAttribute::Oif(index) => self.index = Some(*index),
            RouteAttribute::Priority(metric) => self.metric = Some(*metric),
            _ => {}
        }
    }

    fn message(&self) -> RouteMessage {
        let mut message = RouteMessage::default();
        message.header.address_family = family(self.to.ip);
        message.header.destination_prefix_length = self.to.prefix;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.attributes.extend(
            [
                (self.to.prefix > 0).then(|| RouteAttribute::Destination(self.to.network().into())),
                self.via.map(|ip| RouteAttribute::Gateway(ip.into())),
                self.from.map(|ip| RouteAttribute::PrefSource(ip.into())),
                self.index.map(RouteAttribute::Oif),
                self.metric.map(RouteAttribute::Priority),
            ]
            .into_iter()
            .flatten(),
        );
        message
    }
}

/// The network of all addresses.
pub fn all(is_v4: bool) -> Cidr {
    let ip = if is_v4 { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    Cidr { ip, prefix: 0 }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to.prefix {
            0 => f.write_str("default")?,
            _ => write!(f, "{}/{}", self.to.network(), self.to.prefix)?,
        }
        self.via.map_or(Ok(()), |via| write!(f, " via {via}"))
    }
}

/// Adds a route; that there is the very same is no failure.
pub fn add(way: &Way) -> Request {
    let mut message = way.message();
    message.header.protocol = RouteProtocol::Static;
    message.header.kind = RouteType::Unicast;
    message.header.scope = if way.via.is_some() { RouteScope::Universe } else { RouteScope::Link };
    Request::create(format!("add the route {way}"), Message::NewRoute(message))
}

/// Removes a route; that there is none is no failure.
pub fn remove(way: &Way) -> Request {
    let mut message = way.message();
    // Any, as a removal has it: linux/rtnetlink.h.
    message.header.scope = RouteScope::NoWhere;
    let request = Request::new(format!("remove the route {way}"), Message::DelRoute(message));
    request.tolerate(&[Errno::ESRCH])
}

/// The routes of the main table, IPv4 first.
pub fn list(route: &mut Route) -> Result<Vec<Way>> {
    let mut ways = Vec::new();
    for family in [AddressFamily::Inet, AddressFamily::Inet6] {
        let mut message = RouteMessage::default();
        message.header.address_family = family;
        let request = Request::dump("list routes", Message::GetRoute(message));
        let answers = route.ask(request.tolerate(&[Errno::EOPNOTSUPP]))?;
        let messages = contents(&answers, RTM_NEWROUTE, RouteMessage::parse);
        ways.extend(messages.flat_map(|message| Way::of(&message)));
    }
    Ok(ways)
}
