//! The rules of nftables, read: linux/netfilter/nf_tables.h. `iptables-nft` keeps its rules there too.

use super::socket::{Frame, Socket};
use chain::Result;
use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NlasIterator};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::errno::Errno;

/// `NFNL_SUBSYS_NFTABLES << 8`, and what is asked for.
const TABLES: u16 = 10 << 8;
const GET_TABLE: u16 = TABLES | 1;
const GET_CHAIN: u16 = TABLES | 4;
const GET_RULE: u16 = TABLES | 7;
const GET_SET: u16 = TABLES | 10;
const GET_SET_ELEMENTS: u16 = TABLES | 13;
/// The length of struct nfgenmsg of linux/netfilter/nfnetlink.h; its first byte is the address family.
const HEAD: usize = 4;
/// How often a list is asked for anew that changed while it was read.
const TRIES: usize = 20;
/// `NFT_TABLE_F_OWNER`: a process holds the table, and nobody else may change it.
const OWNED: u32 = 2;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `NFPROTO_*`.
    pub family: u8,
    /// Its name.
    pub name: String,
    /// A process holds it.
    pub is_owned: bool,
}

/// The chain of rules that the kernel begins with at a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// `NFPROTO_*`.
    pub family: u8,
    /// The table that it is in.
    pub table: String,
    /// Its name.
    pub name: String,
    /// `NF_INET_*`: 0 prerouting, 1 input, 2 forward, 3 output, 4 postrouting; none for chains that others jump to.
    pub hook: Option<u32>,
    /// `filter`, `nat` or `route`.
    pub kind: String,
    /// What happens to what no rule decides on.
    pub drops: bool,
}

/// A rule: its expressions, in order.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `NFPROTO_*`.
    pub family: u8,
    /// The table that it is in.
    pub table: String,
    /// The chain that it is in.
    pub chain: String,
    /// The names of the expressions, each with its attributes.
    pub expressions: Vec<(String, Vec<u8>)>,
}

/// A set or a map.
#[derive(Debug, Clone)]
pub struct Set {
    /// `NFPROTO_*`.
    pub family: u8,
    /// The table that it is in.
    pub table: String,
    /// Its name.
    pub name: String,
    /// What the keys are made of, in the numbers of nft: six bits for each part, the last one lowest.
    pub key_type: u32,
    /// The same for the values of a map; 0 for a set.
    pub data_type: u32,
}

/// An element of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The key.
    pub key: Vec<u8>,
    /// The value.
    pub data: Vec<u8>,
    /// The text that was put on it.
    pub comment: Option<String>,
}

/// A connection to the rules of the network namespace that this process is in.
#[derive(Debug)]
pub struct Ruleset(Socket);

impl Ruleset {
    /// Opens it.
    pub fn open() -> Result<Self> {
        Socket::open(NETLINK_NETFILTER).map(Ruleset)
    }

    /// All tables.
    pub fn tables(&mut self) -> Result<Vec<Table>> {
        self.dump("list the tables of nftables", GET_TABLE, &[], |body| {
            let is_owned = find(body, 2).and_then(number).unwrap_or(0) & OWNED != 0;
            Some(Table { family: family(body), name: text(find(body, 1)?), is_owned })
        })
    }

    /// All chains.
    pub fn chains(&mut self) -> Result<Vec<Chain>> {
        self.dump("list the chains of nftables", GET_CHAIN, &[], chain)
    }

    /// All rules.
    pub fn rules(&mut self) -> Result<Vec<Rule>> {
        self.dump("list the rules of nftables", GET_RULE, &[], rule)
    }

    /// All sets and maps.
    pub fn sets(&mut self) -> Result<Vec<Set>> {
        self.dump("list the sets of nftables", GET_SET, &[], |body| {
            let of = |kind| find(body, kind).and_then(number).unwrap_or(0);
            Some(Set {
                family: family(body),
                table: text(find(body, 1)?),
                name: text(find(body, 2)?),
                key_type: of(4),
                data_type: of(6),
            })
        })
    }

    /// The elements of a map.
    pub fn elements(&mut self, set: &Set) -> Result<Vec<Element>> {
        let mut body = vec![set.family, 0, 0, 0];
        put(&mut body, 1, &set.table);
        put(&mut body, 2, &set.name);
        let lists = self.dump("list the elements of a map", GET_SET_ELEMENTS, &body, |body| {
            find(body, 3).map(<[u8]>::to_vec)
        })?;
        Ok(lists.iter().flat_map(|list| nested(list)).filter_map(|(_, body)| element(body)).collect())
    }

    fn dump<T>(
        &mut self,
        what: &str,
        kind: u16,
        body: &[u8],
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>> {
        let body = if body.is_empty() { vec![0; HEAD] } else { body.to_vec() };
        let frame = [Frame { kind, flags: NLM_F_ACK | NLM_F_DUMP, body }];
        let mut refusal = None;
        for _ in 0..TRIES {
            let mut all = Vec::new();
            let take = |_, _, body: &[u8]| all.extend(read(body));
            refusal = match self.0.exchange(&frame, take) {
                Ok(refusals) => refusals.into_iter().flatten().next(),
                Err(errno) => Some(errno.into()),
            };
            match &refusal {
                None => return Ok(all),
                // A kernel without nftables has no rules of it.
                Some(refusal) if [Errno::EOPNOTSUPP, Errno::EINVAL].contains(&refusal.errno) => {
                    return Ok(all);
                }
                Some(refusal) if refusal.errno == Errno::EINTR => {}
                Some(_) => break,
            }
        }
        Err(refusal.unwrap_or(Errno::EINTR.into()).of(what))
    }
}

fn chain(body: &[u8]) -> Option<Chain> {
    let hook =
        find(body, 4).and_then(|hook| nested(hook).find(|(kind, _)| *kind == 1)).map(|(_, value)| value);
    Some(Chain {
        family: family(body),
        table: text(find(body, 1)?),
        name: text(find(body, 3)?),
        hook: hook.and_then(number),
        kind: find(body, 7).map(text).unwrap_or_default(),
        drops: find(body, 5).and_then(number) == Some(0),
    })
}

fn rule(body: &[u8]) -> Option<Rule> {
    let expressions =
        find(body, 4).map(|list| nested(list).filter_map(|(_, body)| expression(body)).collect());
    Some(Rule {
        family: family(body),
        table: text(find(body, 1)?),
        chain: text(find(body, 2)?),
        expressions: expressions.unwrap_or_default(),
    })
}

fn expression(body: &[u8]) -> Option<(String, Vec<u8>)> {
    let of = |wanted| nested(body).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    Some((text(of(1)?), of(2).unwrap_or_default().to_vec()))
}

fn element(body: &[u8]) -> Option<Element> {
    let of = |wanted| nested(body).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    // NFTA_DATA_VALUE.
    let value = |wanted| nested(of(wanted)?).find(|(kind, _)| *kind == 1).map(|(_, value)| value.to_vec());
    // Type 0, length, text, zero: NFTNL_UDATA_SET_ELEM_COMMENT of libnftnl.
    let comment = of(6).and_then(|data| match data {
        [0, length, rest @ ..] => rest.get(..usize::from(*length)).map(text),
        _ => None,
    });
    Some(Element { key: value(1)?, data: value(2).unwrap_or_default(), comment })
}

fn family(body: &[u8]) -> u8 {
    body.first().copied().unwrap_or_default()
}

fn find(body: &[u8], wanted: u16) -> Option<&[u8]> {
    nested(body.get(HEAD..)?).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// The attributes in `bytes`: kind and value.
pub fn nested(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).flatten().filter_map(|nla| {
        let (kind, length) = (nla.kind(), nla.value_length());
        Some((kind, nla.into_inner().get(4..4 + length)?))
    })
}

/// A number in network byte order.
pub fn number(value: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(value.get(..4)?.try_into().ok()?))
}

/// A text that ends with a zero.
pub fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn put(body: &mut Vec<u8>, kind: u16, text: &str) {
    body.extend((text.len() as u16 + 5).to_ne_bytes());
    body.extend(kind.to_ne_bytes());
    body.extend(text.as_bytes());
    body.push(0);
    body.resize(body.len().next_multiple_of(4), 0);
}
