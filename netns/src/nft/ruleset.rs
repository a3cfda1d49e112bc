//! What is there: tables, chains, rules and sets of all families. `iptables-nft` keeps its rules there too.

use super::Nft;
use super::attributes::{each, find, find_number, find_text};
use super::comment;
use crate::netlink::socket::{Frame, Refusal};

/// `NFT_MSG_GET*`.
const GET_TABLE: u8 = 1;
const GET_CHAIN: u8 = 4;
const GET_RULE: u8 = 7;
const GET_SET: u8 = 10;
/// `NFT_TABLE_F_OWNER`: a process holds the table, and nobody else may change it.
const OWNED: u32 = 2;
/// `NF_DROP`.
const DROP: u32 = 0;

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

/// A chain of rules.
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
    /// What no rule decides on is dropped.
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
    /// What it is called by when it is to be removed.
    pub handle: u64,
    /// The text that was put on it; empty when there is none.
    pub comment: String,
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

impl Nft {
    /// All tables.
    pub fn tables(&mut self) -> Result<Vec<Table>, Refusal> {
        self.list(all(GET_TABLE), |family, body| {
            let is_owned = find_number(body, 2).unwrap_or(0) & OWNED != 0;
            Some(Table { family, name: find_text(body, 1)?, is_owned })
        })
    }

    /// All chains.
    pub fn chains(&mut self) -> Result<Vec<Chain>, Refusal> {
        self.list(all(GET_CHAIN), |family, body| {
            Some(Chain {
                family,
                table: find_text(body, 1)?,
                name: find_text(body, 3)?,
                hook: find(body, 4).and_then(|hook| find_number(hook, 1)),
                drops: find_number(body, 5) == Some(DROP),
            })
        })
    }

    /// All rules.
    pub fn rules(&mut self) -> Result<Vec<Rule>, Refusal> {
        self.list(all(GET_RULE), rule)
    }

    /// All sets and maps.
    pub fn sets(&mut self) -> Result<Vec<Set>, Refusal> {
        self.list(all(GET_SET), |family, body| {
            Some(Set {
                family,
                table: find_text(body, 1)?,
                name: find_text(body, 2)?,
                key_type: find_number(body, 4).unwrap_or(0),
                data_type: find_number(body, 6).unwrap_or(0),
            })
        })
    }
}

/// `NFPROTO_UNSPEC`: of all families.
fn all(number: u8) -> Frame {
    super::change(0, number, 0, Vec::new())
}

fn rule(family: u8, body: &[u8]) -> Option<Rule> {
    let expressions = each(find(body, 4).unwrap_or_default())
        .filter_map(|(_, body)| Some((find_text(body, 1)?, find(body, 2).unwrap_or_default().to_vec())));
    Some(Rule {
        family,
        table: find_text(body, 1)?,
        chain: find_text(body, 2)?,
        handle: u64::from_be_bytes(find(body, 3)?.try_into().ok()?),
        comment: find(body, 7).and_then(comment::read).unwrap_or_default(),
        expressions: expressions.collect(),
    })
}
