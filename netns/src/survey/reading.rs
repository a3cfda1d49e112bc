//! What a rule of nftables says, as far as it matters here: linux/netfilter/nf_tables.h, and for rules of
//! `iptables-nft` the structures of linux/netfilter/xt_tcpudp.h and linux/netfilter/nf_nat.h.

use crate::netlink::sockets::Protocol;
use crate::nft::attributes::{find, find_number, find_text};
use crate::nft::ruleset::Rule;
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
    /// A map decides on the verdict, and may name any chain.
    pub has_map: bool,
    /// What becomes of it.
    pub verdict: Option<Verdict>,
    /// Where it is sent instead.
    pub to: Option<SocketAddr>,
    /// It leaves with an address of this host as its sender.
    pub masquerades: bool,
}

/// What becomes of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Accept,
    /// It goes no further, whether its sender is told or not.
    Drop,
    /// This chain decides, and if it does not, the next rule.
    Jump(String),
    /// This chain decides.
    Goto(String),
    /// The chain does not decide.
    Return,
    /// A program does, or the next rule.
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
            "reject" => self.reading.verdict = Some(Verdict::Drop),
            "match" => self.old_match(body),
            "target" => self.old_target(body, family),
            "lookup" => self.lookup(body),
            "counter" | "log" => {}
            _ => self.reading.has_more = true,
        }
    }

    fn load(&mut self, body: &[u8], held: fn(&[u8]) -> Held) {
        if let Some(register) = find_number(body, 1) {
            self.registers.insert(register, held(body));
        }
    }

    fn compare(&mut self, body: &[u8]) {
        let register = find_number(body, 1).and_then(|register| self.registers.get(&register));
        let is_equal = find_number(body, 2) == Some(0);
        let value = find(body, 3).and_then(|data| find(data, 1));
        let known = match (register, value) {
            (Some(held), Some(value)) if is_equal => {
                let held = held.clone();
                self.reading.learn(&held, value)
            }
            _ => None,
        };
        self.reading.has_more |= known.is_none();
    }

    /// Into `NFT_REG_VERDICT` if it is a map of verdicts.
    fn lookup(&mut self, body: &[u8]) {
        self.reading.has_more = true;
        self.reading.has_map |= find_number(body, 3) == Some(0);
    }

    fn immediate(&mut self, body: &[u8]) {
        let (Some(register), Some(data)) = (find_number(body, 1), find(body, 2)) else {
            return;
        };
        if let Some(value) = find(data, 1) {
            self.registers.insert(register, Held::Value(value.to_vec()));
        }
        if let Some(verdict) = find(data, 2) {
            self.reading.verdict = self::verdict(verdict);
        }
    }

    fn nat(&mut self, body: &[u8]) {
        let held = |kind| match self.registers.get(&find_number(body, kind)?) {
            Some(Held::Value(value)) => Some(value.as_slice()),
            _ => None,
        };
        match find_number(body, 1) {
            Some(1) => self.reading.to = destination(held(3), held(5), self.reading.port),
            _ => self.reading.masquerades = true,
        }
    }

    /// struct xt_tcp and struct xt_udp begin alike: the ranges of ports, from and to.
    fn old_match(&mut self, body: &[u8]) {
        let (name, info) = (find_text(body, 1), find(body, 3).unwrap_or_default());
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
        let (name, info) = (find_text(body, 1), find(body, 3).unwrap_or_default());
        let is_v4 = i32::from(family) == nix::libc::NFPROTO_IPV4;
        match name.as_deref() {
            Some("MASQUERADE" | "SNAT") => self.reading.masquerades = true,
            Some("DNAT") => {
                let address = info.get(4..if is_v4 { 8 } else { 20 });
                self.reading.to = destination(address, info.get(36..38), self.reading.port);
            }
            Some("REJECT") => self.reading.verdict = Some(Verdict::Drop),
            _ => self.reading.has_more = true,
        }
    }
}

/// `NFTA_VERDICT_CODE` and `NFTA_VERDICT_CHAIN`: `NF_*` of linux/netfilter.h, and below zero `NFT_*`.
fn verdict(verdict: &[u8]) -> Option<Verdict> {
    let chain = || find_text(verdict, 2);
    Some(match find_number(verdict, 1)?.cast_signed() {
        0 => Verdict::Drop,
        1 => Verdict::Accept,
        -3 => Verdict::Jump(chain()?),
        -4 => Verdict::Goto(chain()?),
        -5 => Verdict::Return,
        _ => Verdict::Elsewhere,
    })
}

impl Reading {
    /// It has no conditions.
    pub fn is_for_all(&self) -> bool {
        *self == Reading { verdict: self.verdict.clone(), ..Reading::default() }
    }

    /// It has no conditions but interfaces that are these: where a packet came in, and where it leaves.
    pub fn is_for(&self, (incoming, outgoing): (Option<&str>, Option<&str>)) -> bool {
        let meets = |wanted: &Option<String>, is| wanted.is_none() || wanted.as_deref() == is;
        meets(&self.incoming, incoming)
            && meets(&self.outgoing, outgoing)
            && Reading { incoming: None, outgoing: None, ..self.clone() }.is_for_all()
    }

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
    match find_number(body, 2) {
        Some(6) => Held::Incoming,
        Some(7) => Held::Outgoing,
        Some(16) => Held::Protocol,
        // The address family, which the other conditions tell too.
        _ => Held::Other,
    }
}

/// `NFT_PAYLOAD_*`: the header, how far in, and how much.
fn payload(body: &[u8]) -> Held {
    let of = |kind| find_number(body, kind);
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

/// A text that may end with a zero.
fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
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
