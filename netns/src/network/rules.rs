//! The table of a network: read once by nft when the network is made. A published port is an element of its maps,
//! and nothing else of it ever changes.

use super::{NetName, Network};
use crate::attach::ports::Saved;
use crate::network::label::Label;
use crate::nft::{BRIDGE, INET, Nft};
use chain::text::escape;
use chain::{Cannot, Error, Result};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::{ErrorKind, Seek, Write};
use std::process::Command;

/// Loads the table, in place of one that is there, with these ports: all at once, so that no packet meets half of it.
pub fn load(network: &Network, ports: &Saved) -> Result<()> {
    run(network, &text(network, ports)?)
}

/// Has nft do what it reads, all of it or nothing.
pub fn run(network: &Network, text: &str) -> Result<()> {
    let what = format!("load the rules of the network {}", network.name);
    let mut file = File::from(memfd_create("rules", MemfdFlags::CLOEXEC).cannot("make a file in memory")?);
    file.write_all(text.as_bytes()).and_then(|()| file.rewind()).cannot("write the rules")?;
    let output = Command::new("nft").args(["-f", "-"]).stdin(file).output().map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(&what, "nft is not installed")
            .hint("it is of the package nftables, and needed only when a network is made or repaired, or gets the first host with --internal or --no-icc"),
        _ => Error::new("run nft", e),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let talk = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(what, format_args!("nft says: {}", escape(talk.lines().next().unwrap_or("nothing")))))
}

/// Removes them, with those for [confined](super::guard) hosts; that there are none is no failure.
pub fn remove(name: &NetName) -> Result<()> {
    let mut nft = Nft::open()?;
    [INET, BRIDGE]
        .into_iter()
        .try_for_each(|family| nft.delete_table(family, &name.table()))
        .map_err(|refusal| refusal.of(&format!("remove the rules of the network {name}")))
}

/// The maps of published ports, for all addresses and for single ones.
const MAPS: [(&str, &str); 4] = [
    ("pub4", "inet_proto . inet_service : ipv4_addr . inet_service"),
    ("pub6", "inet_proto . inet_service : ipv6_addr . inet_service"),
    ("pub4a", "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service"),
    ("pub6a", "ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service"),
];

fn map(name: &str, types: &str, ports: &Saved) -> String {
    let elements: Vec<String> = ports.of_map(name).collect();
    let elements = match elements.as_slice() {
        [] => String::new(),
        all => format!(" elements = {{ {} }}", all.join(", ")),
    };
    format!("  map {name} {{ type {types};{elements} }}\n")
}

/// What nft(8) reads.
fn text(network: &Network, ports: &Saved) -> Result<String> {
    let (table, bridge) = (network.name.table(), network.name.bridge()?);
    let Label { is_internal, is_isolated, .. } = network.label;
    let family = |is_v4| if is_v4 { "ip" } else { "ip6" };
    let (mut out, mut back) = (String::new(), String::new());
    for subnet in network.label.subnets() {
        let family = family(subnet.ip.is_ipv4());
        back += &format!("    oifname \"{bridge}\" {family} saddr {subnet} ct status dnat masquerade\n");
        out += &format!("    oifname != \"{bridge}\" {family} saddr {subnet} masquerade\n");
    }
    if is_internal {
        out.clear();
    }
    let maps: String = MAPS.iter().map(|(name, types)| map(name, types, ports)).collect();
    let siblings = if is_isolated { "drop" } else { "accept" };
    let others = match is_internal {
        true => format!("    iifname \"{bridge}\" drop\n"),
        false => format!(
            "    ct state established,related accept
    oifname \"{bridge}\" ct status dnat accept
    iifname \"{bridge}\" ct state invalid drop\n"
        ),
    };
    Ok(format!(
        "table inet {table} {{ }}
delete table inet {table}
table inet {table} {{
{maps}  chain spoofed {{
    type filter hook prerouting priority raw; policy accept;
    iifname != \"lo\" ip daddr 127.0.0.0/8 drop comment \"the loopback of this host is for itself\"
    iifname \"{bridge}\" fib saddr . iif oif missing drop comment \"a source that is not of the network\"
  }}
  chain published {{
    fib daddr type != local return
    dnat ip to ip daddr . meta l4proto . th dport map @pub4a
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @pub6a
    dnat ip to meta l4proto . th dport map @pub4
    dnat ip6 to meta l4proto . th dport map @pub6
  }}
  chain from-outside {{ type nat hook prerouting priority dstnat; policy accept; jump published; }}
  chain from-host {{ type nat hook output priority -100; policy accept; jump published; }}
  chain sources {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname \"{bridge}\" ip saddr 127.0.0.0/8 masquerade
{back}{out}  }}
  chain forwarded {{
    type filter hook forward priority filter; policy accept;
    iifname \"{bridge}\" oifname \"{bridge}\" ct status dnat accept
    iifname \"{bridge}\" oifname \"{bridge}\" ct state established,related accept
    iifname \"{bridge}\" oifname \"{bridge}\" {siblings}
{others}    oifname \"{bridge}\" drop
  }}
}}
"
    ))
}
