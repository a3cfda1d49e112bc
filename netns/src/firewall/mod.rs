//! Firewalls of others that drop what is forwarded: what one table accepts, another may still drop, so that only a
//! rule of theirs lets a network through.
//!
//! | module | what it holds |
//! |---|---|
//! | [`wall`] | what drops the packets of a bridge, in words, with the command lines that let them through |
//! | [`old`] | the rules of the older iptables |
//! | [`open`] | rules of ours in their chains: put in, and taken out again |

mod old;
pub mod open;
pub mod wall;

use crate::netlink::socket::Refusal;
use crate::network::NetName;
use crate::nft::ruleset::{Chain, Table};
use crate::nft::{INET, Nft};
use crate::survey::reading::{self, Reading, Verdict};
use nix::libc::{NFPROTO_IPV4, NFPROTO_IPV6};
use old::Old;
use std::collections::BTreeSet;
use wall::{Keeper, Wall};

/// `NF_INET_FORWARD` of linux/netfilter.h.
const FORWARD: u32 = 2;
/// Where Docker leaves room for the rules of others: packets go through it before all that Docker does.
const FRONT: &str = "DOCKER-USER";
/// `NFT_JUMP_STACK_SIZE` of net/netfilter/nf_tables.h.
const DEEPEST: usize = 16;

/// Where a rule is: family, table and chain.
pub type Place = (u8, String, String);

/// The interface that packets came in by, and the one that they leave by, where these are known.
type Way<'a> = (Option<&'a str>, Option<&'a str>);

/// What a network namespace does with packets.
#[derive(Debug, Default)]
pub struct Firewalls {
    /// The chains of nftables.
    chains: Vec<Chain>,
    /// Its rules, in order: where each is, and what it says.
    rules: Vec<(Place, Reading)>,
    /// The tables.
    tables: Vec<Table>,
    /// The tables of the older iptables.
    old: Vec<Old>,
}

impl Firewalls {
    /// All of the network namespace that this process is in.
    pub fn read(nft: &mut Nft) -> Result<Self, Refusal> {
        Firewalls { old: old::read(), chains: nft.chains()?, ..Firewalls::default() }.with_rules(nft)
    }

    /// The same, but quicker where only networks have rules for what is forwarded.
    pub fn of_others(nft: &mut Nft) -> Result<Self, Refusal> {
        let firewalls = Firewalls { old: old::read(), chains: nft.chains()?, ..Firewalls::default() };
        let is_of_others =
            |chain: &Chain| chain.hook == Some(FORWARD) && !is_ours(chain.family, &chain.table);
        match firewalls.chains.iter().any(is_of_others) {
            true => firewalls.with_rules(nft),
            false => Ok(firewalls),
        }
    }

    fn with_rules(self, nft: &mut Nft) -> Result<Self, Refusal> {
        let rules = nft.rules()?.into_iter().map(|rule| {
            let reading = reading::read(&rule);
            ((rule.family, rule.table, rule.chain), reading)
        });
        Ok(Firewalls { rules: rules.collect(), tables: nft.tables()?, ..self })
    }

    /// Whether there is a table of this family and name.
    pub fn has_table(&self, family: u8, name: &str) -> bool {
        self.tables.iter().any(|table| (table.family, table.name.as_str()) == (family, name))
    }

    /// Whether some rule may put another address in place of the sender's. Those of the older iptables are not read.
    pub fn may_masquerade(&self) -> bool {
        !self.old.is_empty() || self.rules.iter().any(|(_, rule)| rule.masquerades)
    }

    /// What drops packets that go to and come from the interface `near`, of IPv4 or IPv6 or both.
    pub fn against(&self, near: &str, (has_v4, has_v6): (bool, bool)) -> Vec<Wall> {
        let is_meant = |family: u8| match i32::from(family) {
            NFPROTO_IPV4 => has_v4,
            NFPROTO_IPV6 => has_v6,
            _ => family == INET,
        };
        let chains = self.chains.iter().filter(|chain| chain.hook == Some(FORWARD) && is_meant(chain.family));
        let closed = chains.filter(|chain| self.is_closed(chain) && !self.lets_through(chain, near));
        let old = self.old.iter().filter(|old| is_meant(old.family()) && old.is_against(near));
        closed.map(|chain| self.wall(chain)).chain(old.map(Old::wall)).collect()
    }

    fn rules_of<'a>(&'a self, chain: &'a Chain, name: &'a str) -> impl Iterator<Item = &'a Reading> {
        let is_there = move |(family, table, chain_of): &&Place| {
            (*family, table, chain_of.as_str()) == (chain.family, &chain.table, name)
        };
        self.rules.iter().filter(move |(place, _)| is_there(&place)).map(|(_, rule)| rule)
    }

    /// It drops what none of its rules accepts.
    fn is_closed(&self, chain: &Chain) -> bool {
        self.drops(chain, (None, None))
    }

    /// What becomes in the end of packets between these interfaces, whatever else they are.
    fn drops(&self, chain: &Chain, way: Way<'_>) -> bool {
        self.end(chain, &chain.name, way, 0).unwrap_or(chain.drops)
    }

    /// What becomes of packets that no rule with another condition decides on: dropped, or not; `None` when nothing
    /// does.
    fn end(&self, base: &Chain, name: &str, way: Way<'_>, depth: usize) -> Option<bool> {
        for rule in self.rules_of(base, name) {
            let Some(verdict) = rule.verdict.as_ref().filter(|_| rule.is_for(way)) else { continue };
            match verdict {
                Verdict::Accept => return Some(false),
                Verdict::Drop => return Some(true),
                Verdict::Return => return None,
                Verdict::Goto(chain) if depth < DEEPEST => return self.end(base, chain, way, depth + 1),
                Verdict::Jump(chain) if depth < DEEPEST => match self.end(base, chain, way, depth + 1) {
                    None => {}
                    decided => return decided,
                },
                Verdict::Goto(_) | Verdict::Jump(_) | Verdict::Elsewhere => {}
            }
        }
        None
    }

    /// The rules that packets may meet from a chain on.
    fn met<'a>(&'a self, base: &'a Chain) -> Vec<&'a Reading> {
        let (mut met, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![base.name.as_str()]);
        while let Some(name) = next.pop() {
            if !seen.insert(name) {
                continue;
            }
            for rule in self.rules_of(base, name) {
                met.push(rule);
                match &rule.verdict {
                    Some(Verdict::Jump(chain) | Verdict::Goto(chain)) => next.push(chain),
                    _ if rule.has_map => next.extend(self.chains_beside(base)),
                    _ => {}
                }
            }
        }
        met
    }

    fn chains_beside<'a>(&'a self, base: &'a Chain) -> impl Iterator<Item = &'a str> {
        let is_beside = |chain: &&Chain| (chain.family, &chain.table) == (base.family, &base.table);
        self.chains.iter().filter(is_beside).map(|chain| chain.name.as_str())
    }

    /// It accepts what comes from the interface, and what goes to it: in the end, or some rule some of it.
    fn lets_through(&self, chain: &Chain, near: &str) -> bool {
        let met = self.met(chain);
        let accepts = |way: Way<'_>, wanted: fn(&Reading) -> Option<&str>| {
            let is_wanted =
                |rule: &&Reading| rule.verdict == Some(Verdict::Accept) && wanted(rule) == Some(near);
            met.iter().any(is_wanted) || !self.drops(chain, way)
        };
        accepts((Some(near), None), |rule| rule.incoming.as_deref())
            && accepts((None, Some(near)), |rule| rule.outgoing.as_deref())
    }

    fn wall(&self, chain: &Chain) -> Wall {
        let front = Verdict::Jump(FRONT.to_owned());
        let has_front = self
            .rules_of(chain, &chain.name)
            .any(|rule| rule.is_for_all() && rule.verdict.as_ref() == Some(&front));
        let is_owned =
            |table: &Table| table.is_owned && (table.family, &table.name) == (chain.family, &chain.table);
        Wall {
            keeper: if self.tables.iter().any(is_owned) { Keeper::Process } else { Keeper::Anybody },
            family: chain.family,
            table: chain.table.clone(),
            chain: chain.name.clone(),
            front: if has_front { FRONT.to_owned() } else { chain.name.clone() },
        }
    }
}

/// Whether it is the table of a network.
fn is_ours(family: u8, table: &str) -> bool {
    family == INET && table.starts_with(NetName::TABLE)
}
