//! Rules of our own in tables of others: those that accept all from or to one interface.

use super::attributes::{bytes, nested, text};
use super::ruleset::Rule;
use super::{change, comment};
use crate::netlink::socket::Frame;
use netlink_packet_core::NLM_F_CREATE;

const NEW_RULE: u8 = 6;
const DELETE_RULE: u8 = 8;
// NFTA_RULE_*.
const TABLE: u16 = 1;
const CHAIN: u16 = 2;
const HANDLE: u16 = 3;
const EXPRESSIONS: u16 = 4;
const USERDATA: u16 = 7;
/// `NFTA_LIST_ELEM`.
const ELEMENT: u16 = 1;
// NFTA_EXPR_*.
const NAME: u16 = 1;
const DATA: u16 = 2;
/// `NFT_REG_1`.
const REGISTER: u32 = 1;
/// `NFT_REG_VERDICT`, and also `NFT_CMP_EQ`.
const ZERO: u32 = 0;
/// `NF_ACCEPT`.
const ACCEPT: u32 = 1;
/// `IFNAMSIZ` of linux/if.h.
const LONGEST: usize = 16;

/// Which interface of a packet is looked at: `NFT_META_IIFNAME` and `NFT_META_OIFNAME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The one that it came in by.
    Incoming = 6,
    /// The one that it leaves by.
    Outgoing = 7,
}

/// The message that puts a rule before all others of a chain: packets of `interface` are accepted. It is made of what
/// `iptables -S` can read too.
pub fn accept((family, table, chain): (u8, &str, &str), side: Side, interface: &str, remark: &str) -> Frame {
    let mut name = interface.as_bytes().to_vec();
    name.resize(LONGEST, 0);
    let load = [number(1, REGISTER), number(2, side as u32)].concat();
    let compare = [number(1, REGISTER), number(2, ZERO), nested(3, &bytes(1, &name))].concat();
    let verdict = nested(2, &nested(2, &number(1, ACCEPT)));
    let accept = [number(1, ZERO), verdict].concat();
    let expressions =
        [expression("meta", &load), expression("cmp", &compare), expression("immediate", &accept)].concat();
    let rule = [
        text(TABLE, table),
        text(CHAIN, chain),
        nested(EXPRESSIONS, &expressions),
        bytes(USERDATA, &comment::write(remark)),
    ];
    change(family, NEW_RULE, NLM_F_CREATE, rule.concat())
}

/// The message that removes a rule.
pub fn remove(rule: &Rule) -> Frame {
    let which =
        [text(TABLE, &rule.table), text(CHAIN, &rule.chain), bytes(HANDLE, &rule.handle.to_be_bytes())];
    change(rule.family, DELETE_RULE, 0, which.concat())
}

fn expression(name: &str, data: &[u8]) -> Vec<u8> {
    nested(ELEMENT, &[text(NAME, name), nested(DATA, data)].concat())
}

fn number(kind: u16, value: u32) -> Vec<u8> {
    bytes(kind, &value.to_be_bytes())
}
