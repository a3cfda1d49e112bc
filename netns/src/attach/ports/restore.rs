//! The ports of a network put back into a table that is loaded again.

use super::entry::{Entry, MAPS, list};
use super::publish::publish;
use crate::netlink::links::Link;
use crate::network::label::PortLabel;
use crate::network::{NetName, Network};
use crate::nft::Nft;
use crate::nft::elements::{self, Element};
use crate::published::Published;
use chain::Result;
use chain::error::say;

/// The ports of a network, to be [put back](restore) when its table is loaded again.
#[derive(Debug)]
pub struct Saved(Vec<Entry>);

/// Reads all ports of a network.
pub fn save(nft: &mut Nft, network: &NetName) -> Result<Saved> {
    list(nft, &network.table()).map(Saved)
}

/// Puts ports back into an empty table: those saved or, when none are, those that the labels of the hosts name.
pub fn restore(nft: &mut Nft, network: &Network, saved: &Saved, links: &[Link]) -> Result<()> {
    if saved.0.is_empty() {
        return links.iter().try_for_each(|link| restore_labelled(nft, network, link));
    }
    let mut changes = Vec::new();
    for (map, ..) in MAPS {
        let of_map = saved.0.iter().filter(|entry| entry.map == map);
        let elements: Vec<Element> = of_map.map(|entry| entry.element.clone()).collect();
        changes.extend(elements::add(&network.name.table(), map, &elements));
    }
    let added = changes.into_iter().try_for_each(|change| nft.transact(vec![change]));
    added.map_err(|refusal| refusal.of("put back published ports"))
}

fn restore_labelled(nft: &mut Nft, network: &Network, link: &Link) -> Result<()> {
    let label = link.alias.as_deref().and_then(PortLabel::read);
    let (Some(number), Some(label)) = (network.host_number(&link.name), label) else { return Ok(()) };
    let addresses = crate::attach::bare(network.addresses(number));
    let ports: Vec<Published> = label.ports.iter().filter_map(|port| port.parse().ok()).collect();
    if ports.len() < label.ports.len() {
        let name = label.name.as_deref().unwrap_or(&link.name);
        say(&format!(
            "warning: {name} has more published ports than are known: start it again to have them all"
        ));
    }
    publish(nft, &network.name, label.name.as_deref(), &ports, &addresses)
}
