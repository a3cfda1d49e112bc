//! Hosts of a network that may do less than the others: no way out, or no sibling to talk to.
//!
//! That is written on the interface of such a host at the bridge, as its group, and ends with it. A table of the family
//! `bridge`, which sees from which port a frame comes, reads it there. It is loaded for the first host that needs it.

use super::{Network, rules};
use crate::cidr::Cidr;
use crate::nft::{BRIDGE, Nft};
use chain::Result;

/// What a host may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confinement {
    /// It has no way out.
    pub is_internal: bool,
    /// It does not reach the others, nor they it.
    pub is_isolated: bool,
}

/// Where our groups begin: no other program is known to give such numbers.
const FIRST: u32 = 0x6e00_0000;
const INTERNAL: u32 = 1;
const ISOLATED: u32 = 2;

/// As many networks as the numbers of their bridges tell apart.
const NETWORKS: u32 = 1 << 22;

impl Confinement {
    /// The group of the interface at the bridge; none for a host like the others.
    pub fn group(self, network: &Network) -> Option<u32> {
        let bits = if self.is_internal { INTERNAL } else { 0 } | if self.is_isolated { ISOLATED } else { 0 };
        (bits != 0).then(|| first(network) + bits)
    }

    /// What a group says.
    pub fn of(network: &Network, group: u32) -> Self {
        let bits = group.checked_sub(first(network)).filter(|bits| *bits <= INTERNAL | ISOLATED).unwrap_or(0);
        Confinement { is_internal: bits & INTERNAL != 0, is_isolated: bits & ISOLATED != 0 }
    }

    /// Whether it forbids anything.
    pub fn is_any(self) -> bool {
        self != Confinement::default()
    }
}

fn first(network: &Network) -> u32 {
    FIRST + ((network.index % NETWORKS) << 2)
}

/// Loads the table if it is not there.
pub fn ensure(nft: &mut Nft, network: &Network) -> Result<()> {
    let tables = nft.tables().map_err(|refusal| refusal.of("list tables"))?;
    let name = network.name.table();
    match tables.iter().any(|table| (table.family, &table.name) == (BRIDGE, &name)) {
        true => Ok(()),
        false => load(network),
    }
}

/// Loads the table, in place of one that is there.
pub fn load(network: &Network) -> Result<()> {
    rules::run(network, &text(network))
}

fn text(network: &Network) -> String {
    let (table, first) = (network.name.table(), first(network));
    let internal = format!("{{ {}, {} }}", first + INTERNAL, first + INTERNAL + ISOLATED);
    let isolated = format!("{{ {}, {} }}", first + ISOLATED, first + INTERNAL + ISOLATED);
    let (mut arriving, mut leaving) = (String::new(), String::new());
    for (subnet, router) in network.label.subnets().zip(network.addresses(super::label::ROUTER)) {
        let (family, near) = near(subnet);
        let router = router.ip;
        arriving += &format!(
            "    iifgroup {internal} {family} daddr != {near} drop
    iifgroup {isolated} {family} daddr {subnet} {family} daddr != {router} drop\n"
        );
        leaving +=
            &format!("    oifgroup {isolated} {family} saddr {subnet} {family} saddr != {router} drop\n");
    }
    format!(
        "table bridge {table} {{ }}
delete table bridge {table}
table bridge {table} {{
  chain arriving {{
    type filter hook prerouting priority -200; policy accept;
{arriving}  }}
  chain across {{
    type filter hook forward priority -200; policy accept;
    iifgroup {isolated} drop
    oifgroup {isolated} drop
  }}
  chain leaving {{
    type filter hook postrouting priority 300; policy accept;
{leaving}  }}
}}
"
    )
}

/// What a host without a way out may send to. IPv6 looks for its neighbours by addresses of the link.
fn near(subnet: Cidr) -> (&'static str, String) {
    match subnet.ip.is_ipv4() {
        true => ("ip", subnet.to_string()),
        false => ("ip6", format!("{{ {subnet}, fe80::/10, ff02::/16 }}")),
    }
}
