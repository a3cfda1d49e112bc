//! The chains of all tables that see what is forwarded: another's drop cannot be undone by one's own accept.

use super::attributes::{find, find_number, find_text};
use super::{Nft, change};
use crate::netlink::socket::Refusal;
use chain::text::escape;

const GET_CHAIN: u8 = 4;
// NFTA_CHAIN_* and NFTA_HOOK_*.
const TABLE: u16 = 1;
const NAME: u16 = 3;
const HOOK: u16 = 4;
const POLICY: u16 = 5;
const HOOK_NUMBER: u16 = 1;
/// `NF_INET_FORWARD`.
const FORWARD: u32 = 2;
/// `NF_DROP`.
const DROP: u32 = 0;

/// A chain that drops what no rule of its accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// `ip`, `ip6` or `inet`.
    pub family: &'static str,
    /// The table.
    pub table: String,
    /// The chain.
    pub name: String,
}

/// The chains that forwarded packets go through and that drop by policy.
pub fn dropping_forward(nft: &mut Nft) -> Result<Vec<Chain>, Refusal> {
    let mut chains = Vec::new();
    let mut question = change(GET_CHAIN, 0, Vec::new());
    // NFPROTO_UNSPEC: of all families.
    question.body[0] = 0;
    nft.dump(question, |family, attributes| chains.extend(read(family, attributes)))?;
    Ok(chains)
}

fn read(family: u8, attributes: &[u8]) -> Option<Chain> {
    let family = match family {
        1 => "inet",
        2 => "ip",
        10 => "ip6",
        _ => return None,
    };
    let is_forward = find_number(find(attributes, HOOK)?, HOOK_NUMBER)? == FORWARD;
    let drops = find_number(attributes, POLICY)? == DROP;
    let text = |kind| find_text(attributes, kind).map(|text| escape(&text));
    (is_forward && drops).then_some(Chain { family, table: text(TABLE)?, name: text(NAME)? })
}
