//! Rules of ours in the chains of others: put in on request, told by their comment, and taken out again with the
//! network.

use super::Firewalls;
use super::wall::{Keeper, Wall};
use crate::network::Network;
use crate::nft::Nft;
use crate::nft::rules::{Side, accept, remove};
use chain::error::say;
use chain::{Error, Result};
use nix::errno::Errno;
use std::fs;

/// What is written on them.
fn remark(bridge: &str) -> String {
    format!("netns {bridge}")
}

fn walls(nft: &mut Nft, network: &Network) -> Result<Vec<Wall>> {
    let all = Firewalls::of_others(nft).map_err(|refusal| refusal.of("look for firewalls"))?;
    let bridge = network.name.bridge()?;
    Ok(all.against(bridge.as_str(), (true, network.label.v6.is_some())))
}

/// Says what drops the packets of a network, with the command lines that let them through.
pub fn tell(nft: &mut Nft, network: &Network) -> Result<()> {
    if network.label.is_internal && !sees_bridges() {
        return Ok(());
    }
    let bridge = network.name.bridge()?;
    for wall in walls(nft, network)? {
        say(&format!("warning: {}", wall.message(bridge.as_str())));
        wall.cures(bridge.as_str()).iter().for_each(|cure| say(&format!("hint: {cure}")));
    }
    Ok(())
}

/// Whether firewalls see what stays within a bridge: br_netfilter of the kernel.
fn sees_bridges() -> bool {
    fs::read_to_string("/proc/sys/net/bridge/bridge-nf-call-iptables").is_ok_and(|value| value.trim() != "0")
}

/// Lets the packets of a network through whatever drops them. Nothing is done when one of it cannot be changed.
pub fn open(nft: &mut Nft, network: &Network) -> Result<()> {
    let bridge = network.name.bridge()?;
    let walls = walls(nft, network)?;
    walls.iter().try_for_each(|wall| can_open(wall, bridge.as_str()))?;
    if walls.is_empty() {
        return Ok(());
    }
    let what = format!("open the firewall for {bridge}");
    let before = nft.rules().map_err(|refusal| refusal.of(&what))?;
    let is_there = |table: (u8, &str)| walls.iter().any(|wall| (wall.family, wall.table.as_str()) == table);
    // One of the two alone, where somebody has removed the other.
    let half = before
        .iter()
        .filter(|rule| rule.comment == remark(bridge.as_str()) && is_there((rule.family, &rule.table)));
    let mut changes: Vec<_> = half.map(remove).collect();
    for wall in &walls {
        let place = (wall.family, wall.table.as_str(), wall.front.as_str());
        let rule = |side| accept(place, side, bridge.as_str(), &remark(bridge.as_str()));
        changes.extend([Side::Outgoing, Side::Incoming].map(rule));
    }
    nft.transact(changes).map_err(|refusal| refusal.of(&what))
}

fn can_open(wall: &Wall, bridge: &str) -> Result<()> {
    let why = match wall.keeper {
        Keeper::Anybody => return Ok(()),
        Keeper::Process => "a process holds that table, and nobody else may change it",
        Keeper::OldTables => "its rules are not in nftables",
    };
    Err(Error::new(format_args!("open {} for {bridge}", wall.what()), why)
        .hint(format_args!("without --open-firewall, then: {}", wall.cures(bridge).join("; "))))
}

/// Takes out again what [`open`] has put in, wherever it is.
pub fn close(nft: &mut Nft, bridge: &str) -> Result<()> {
    let what = format!("take back the rules for {bridge}");
    let all = nft.rules().map_err(|refusal| refusal.of(&what))?;
    let ours: Vec<_> = all.iter().filter(|rule| rule.comment == remark(bridge)).map(remove).collect();
    // Each by itself: others may have removed some.
    ours.into_iter().try_for_each(|rule| match nft.transact(vec![rule]) {
        Err(refusal) if refusal.errno == Errno::ENOENT => Ok(()),
        other => other.map_err(|refusal| refusal.of(&what)),
    })
}
