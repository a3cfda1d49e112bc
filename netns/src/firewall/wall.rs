//! What drops the packets of a bridge, in words, with the command lines that let them through.

use chain::text::show;
use nix::libc::{NFPROTO_IPV4, NFPROTO_IPV6};

/// The table of firewalld(1), which puts anything but its own rules out of it when it loads them again.
const FIREWALLD: &str = "firewalld";

/// A chain at the forward hook that drops what it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wall {
    /// Who can change it.
    pub keeper: Keeper,
    /// `NFPROTO_*`.
    pub family: u8,
    /// The table that it is in.
    pub table: String,
    /// Its name.
    pub chain: String,
    /// The chain that a rule is to be put into: the same, or one that packets go through before.
    pub front: String,
}

/// Who can change the rules of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// Who has the rights.
    Anybody,
    /// Nobody but the process that holds the table, as a newer firewalld does.
    Process,
    /// The older iptables, which nftables does not know of.
    OldTables,
}

impl Wall {
    /// What it does to an interface.
    pub fn message(&self, near: &str) -> String {
        format!("{} drops what goes to and comes from {near}", self.what())
    }

    /// What it is called.
    pub fn what(&self) -> String {
        match self.keeper {
            Keeper::OldTables => format!("chain {} of {}", self.chain, self.old_program()),
            _ => {
                format!("chain {} of table {} {}", show(&self.chain), family(self.family), show(&self.table))
            }
        }
    }

    /// The command lines that have it let the interface through, in front of all its rules.
    pub fn cures(&self, near: &str) -> Vec<String> {
        let near = show(near);
        match self.keeper {
            Keeper::Anybody if self.table == FIREWALLD => vec![trusted(&near)],
            Keeper::Anybody => ["iifname", "oifname"].map(|side| self.insert(side, &near)).into(),
            Keeper::Process => vec![trusted(&near)],
            Keeper::OldTables => ["-i", "-o"]
                .map(|side| format!("{} -I {} {side} {near} -j ACCEPT", self.old_program(), self.front))
                .into(),
        }
    }

    fn insert(&self, side: &str, near: &str) -> String {
        let (family, table, front) = (family(self.family), show(&self.table), show(&self.front));
        format!("nft insert rule {family} {table} {front} {side} {near} accept")
    }

    fn old_program(&self) -> &'static str {
        if i32::from(self.family) == NFPROTO_IPV4 { "iptables-legacy" } else { "ip6tables-legacy" }
    }
}

fn trusted(near: &str) -> String {
    format!("firewall-cmd --zone=trusted --add-interface={near}")
}

fn family(number: u8) -> &'static str {
    match i32::from(number) {
        NFPROTO_IPV4 => "ip",
        NFPROTO_IPV6 => "ip6",
        _ => "inet",
    }
}
