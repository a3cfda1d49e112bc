//! The ports of a network, kept when its table is loaded again.

use super::entry::{Entry, entries, list};
use crate::netlink::links::Link;
use crate::network::Network;
use crate::network::label::PortLabel;
use crate::nft::Nft;
use crate::published::Published;
use chain::Result;
use chain::error::say;
use std::collections::HashSet;

/// The ports of a network, to be loaded together with its rules.
#[derive(Debug, Default)]
pub struct Saved(Vec<Entry>);

impl Saved {
    /// All ports of a network: those of its table, and those that the labels of the hosts name besides.
    pub fn read(nft: &mut Nft, network: &Network, links: &[Link]) -> Result<Self> {
        let mut all = list(nft, &network.name.table())?;
        let is_gone = all.is_empty();
        let there: HashSet<_> = all.iter().map(|entry| (entry.map, entry.element.key.clone())).collect();
        let named = links.iter().flat_map(|link| of_label(network, link, is_gone));
        all.extend(named.filter(|entry| !there.contains(&(entry.map, entry.element.key.clone()))));
        Ok(Saved(all))
    }

    /// The elements of one of the maps, as nft(8) reads them.
    pub fn of_map<'a>(&'a self, map: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.iter().filter(move |entry| entry.map == map).filter_map(Entry::text)
    }
}

/// With `is_gone` it is told when the label has no room for all of them.
fn of_label(network: &Network, link: &Link, is_gone: bool) -> Vec<Entry> {
    let label = link.alias.as_deref().and_then(PortLabel::read);
    let (Some(number), Some(label)) = (network.host_number(&link.name), label) else { return Vec::new() };
    let addresses = crate::attach::bare(network.addresses(number));
    let ports: Vec<Published> = label.ports.iter().filter_map(|port| port.parse().ok()).collect();
    let name = label.name.as_deref();
    if is_gone && ports.len() < label.ports.len() {
        let name = name.unwrap_or(&link.name);
        say(&format!(
            "warning: {name} has more published ports than are known: start it again to have them all"
        ));
    }
    ports.iter().filter(|port| !port.is_proxied).flat_map(|port| entries(port, name, &addresses)).collect()
}
