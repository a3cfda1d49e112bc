//! What a rule of nftables says, as far as it matters here: linux/netfilter/nf_tables.h, and for rules of
//! `iptables-nft` the structures of linux/netfilter/xt_tcpudp.h and linux/netfilter/nf_nat.h.

use crate::netlink::ruleset::{Rule, nested, number, text};
use crate::netlink::sockets::Protocol;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The conditions and the outcome of a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The interface that a packet came in by.
    pub incoming: Option<String>,
    /// The interface that it leaves by.
    pub outgoing: Option<String>,
    /// What it speaks.
    pub protocol: Option<Protocol>,
    /// The address that it goes to.
    pub address: Option<IpAddr>,
    /// The port that it goes to.
    pub port: Option<u16>,
    /// There are conditions that are not told here.
    pub has_more: bool,
    /// What becomes of it.
    pub verdict: Option<Verdict>,
    /// Where it is sent instead.
    pub to: Option<SocketAddr>,
    /// It leaves with an address of this host as its sender.
    pub masquerades: bool,
}

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Accept,
    /// It goes no further.
    Drop,
    /// Another chain decides.
    Elsewhere,
}

/// What a register holds while a rule is read.
#[derive(Debug, Clone)]
enum Held {
    Incoming,
    Outgoing,
    Protocol,
    Address,
    Port,
    Value(Vec<u8>),
    Other,
}

/// Reads a rule, expression by expression.
pub fn read(rule: &Rule) -> Reading {
    let mut reader = Reader { reading: Reading::default(), registers: HashMap::new() };
    for (name, body) in &rule.expressions {
        reader.expression(name, body, rule.family);
    }
    reader.reading
}

struct Reader {
    reading: Reading,
    registers: HashMap<u32, Held>,
}

impl Reader {
    fn expression(&mut self, name: &str, body: &[u8], family: u8) {
        match name {
            "meta" => self.load(body, meta),
            "payload" => self.load(body, payload),
            "cmp" => self.compare(body),
            "immediate" => self.immediate(body),
            "nat" => self.nat(body),
            "masq" => self.reading.masquerades = true,
            "match" => self.old_match(body),
            "target" => self.old_target(body, family),
            "counter" | "log" => {}
            _ => self.reading.has_more = true,
        }
    }

    fn load(&mut self, body: &[u8], held: fn(&[u8]) -> Held) {
        if let Some(register) = attribute(body, 1).and_then(number) {
            self.registers.insert(register, held(body));
        }
    }

    fn compare(&mut self, body: &[u8]) {
        let register = attribute(body, 1).and_then(number).and_then(|register| self.registers.get(&register));
        let is_equal = attribute(body, 2).and_then(number) == Some(0);
        let value = attribute(body, 3).and_then(|data| attribute(data, 1));
        let known = match (register, value) {
            (Some(held), Some(value)) if is_equal => {
                let held = held.clone();
                self.reading.learn(&held, value)
            }
            _ => None,
        };
        self.reading.has_more |= known.is_none();
    }

    fn immediate(&mut self, body: &[u8]) {
        let (Some(register), Some(data)) = (attribute(body, 1).and_then(number), attribute(body, 2)) else {
            return;
        };
        if let Some(value) = attribute(data, 1) {
            self.registers.insert(register, Held::Value(value.to_vec()));
        }
        let code = attribute(data, 2).and_then(|verdict| attribute(verdict, 1)).and_then(number);
        if let Some(code) = code {
            self.reading.verdict = Some(match code {
                0 => Verdict::Drop,
                1 => Verdict::Accept,
                _ => Verdict::Elsewhere,
            });
        }
    }

    fn nat(&mut self, body: &[u8]) {
        let held = |kind| match self.registers.get(&number(attribute(body, kind)?)?) {
            Some(Held::Value(value)) => Some(value.as_slice()),
            _ => None,
        };
        match attribute(body, 1).and_then(number) {
            Some(1) => self.reading.to = destination(held(3), held(5), self.reading.port),
            _ => self.reading.masquerades = true,
        }
    }

    /// struct xt_tcp and struct xt_udp begin alike: the ranges of ports, from and to.
    fn old_match(&mut self, body: &[u8]) {
        let (name, info) = (attribute(body, 1).map(text), attribute(body, 3).unwrap_or_default());
        let port = |at: usize| Some(u16::from_ne_bytes(info.get(at..at + 2)?.try_into().ok()?));
        match (name.as_deref(), port(4), port(6)) {
            (Some("tcp" | "udp"), Some(first), Some(last)) if first == last => {
                self.reading.port = Some(first);
            }
            (Some("comment"), ..) => {}
            _ => self.reading.has_more = true,
        }
    }

    /// struct nf_nat_range2: flags, two addresses of 16 bytes, ports in network byte order.
    fn old_target(&mut self, body: &[u8], family: u8) {
        let (name, info) = (attribute(body, 1).map(text), attribute(body, 3).unwrap_or_default());
        let is_v4 = i32::from(family) == nix::libc::NFPROTO_IPV4;
        match name.as_deref() {
            Some("MASQUERADE" | "SNAT") => self.reading.masquerades = true,
            Some("DNAT") => {
                let address = info.get(4..if is_v4 { 8 } else { 20 });
                self.reading.to = destination(address, info.get(36..38), self.reading.port);
            }
            _ => self.reading.has_more = true,
        }
    }
}

impl Reading {
    fn learn(&mut self, held: &Held, value: &[u8]) -> Option<()> {
        match held {
            Held::Incoming => self.incoming = Some(text(value)),
            Held::Outgoing => self.outgoing = Some(text(value)),
            Held::Protocol => self.protocol = Some(Protocol::of(*value.first()?)?),
            Held::Address => self.address = Some(address(value)?),
            Held::Port => self.port = Some(port(value)?),
            Held::Value(_) | Held::Other => return None,
        }
        Some(())
    }
}

/// `NFT_META_*`.
fn meta(body: &[u8]) -> Held {
    match attribute(body, 2).and_then(number) {
        Some(6) => Held::Incoming,
        Some(7) => Held::Outgoing,
        Some(16) => Held::Protocol,
        // The address family, which the other conditions tell too.
        _ => Held::Other,
    }
}

/// `NFT_PAYLOAD_*`: the header, how far in, and how much.
fn payload(body: &[u8]) -> Held {
    let of = |kind| attribute(body, kind).and_then(number);
    match (of(2), of(3), of(4)) {
        (Some(1), Some(9), Some(1)) => Held::Protocol,
        (Some(1), Some(16), Some(4)) | (Some(1), Some(24), Some(16)) => Held::Address,
        (Some(2), Some(2), Some(2)) => Held::Port,
        _ => Held::Other,
    }
}

fn destination(ip: Option<&[u8]>, to: Option<&[u8]>, same: Option<u16>) -> Option<SocketAddr> {
    let to = to.and_then(port).filter(|port| *port != 0).or(same)?;
    Some(SocketAddr::new(address(ip?)?, to))
}

fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?).into()),
        16 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?).into()),
        _ => None,
    }
}

fn port(value: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(value.get(..2)?.try_into().ok()?))
}

fn attribute(body: &[u8], wanted: u16) -> Option<&[u8]> {
    nested(body).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}
