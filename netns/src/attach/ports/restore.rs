//! The ports of a network, kept when its table is loaded again.

use super::entry::{Entry, entries, list};
use crate::netlink::links::Link;
use crate::network::Network;
use crate::network::label::PortLabel;
use crate::nft::Nft;
use crate::published::Published;
use chain::Result;
use chain::error::say;

/// The ports of a network, to be loaded together with its rules.
#[derive(Debug, Default)]
pub struct Saved(Vec<Entry>);

impl Saved {
    /// All ports of a network: those of its table or, when that has none, those that the labels of the hosts name.
    pub fn read(nft: &mut Nft, network: &Network, links: &[Link]) -> Result<Self> {
        let of_table = list(nft, &network.name.table())?;
        if !of_table.is_empty() {
            return Ok(Saved(of_table));
        }
        Ok(Saved(links.iter().flat_map(|link| of_label(network, link)).collect()))
    }

    /// The elements of one of the maps, as nft(8) reads them.
    pub fn of_map<'a>(&'a self, map: &'a str) -> impl Iterator<Item = String> + 'a {
        self.0.iter().filter(move |entry| entry.map == map).filter_map(Entry::text)
    }
}

fn of_label(network: &Network, link: &Link) -> Vec<Entry> {
    let label = link.alias.as_deref().and_then(PortLabel::read);
    let (Some(number), Some(label)) = (network.host_number(&link.name), label) else { return Vec::new() };
    let addresses = crate::attach::bare(network.addresses(number));
    let ports: Vec<Published> = label.ports.iter().filter_map(|port| port.parse().ok()).collect();
    let name = label.name.as_deref();
    if ports.len() < label.ports.len() {
        let name = name.unwrap_or(&link.name);
        say(&format!(
            "warning: {name} has more published ports than are known: start it again to have them all"
        ));
    }
    ports.iter().filter(|port| !port.is_proxied).flat_map(|port| entries(port, name, &addresses)).collect()
}
