//! A namespace taken out of its network: what would otherwise be left of it, once its interface has gone, until `gc`.

use super::hosts::Hosts;
use super::{bare, ports, resolver};
use crate::namespace::Namespace;
use crate::netlink::links::{self, Link};
use crate::netlink::{Route, nsids};
use crate::network::Network;
use crate::network::label::PortLabel;
use crate::nft::Nft;
use chain::Result;

/// A host of a network of the namespace that this process is in.
#[derive(Debug)]
pub struct Member {
    network: Network,
    number: u32,
    label: PortLabel,
}

impl Member {
    /// What `inside` is in networks of this namespace under this name.
    pub fn find(inside: &Namespace, name: &str) -> Result<Vec<Self>> {
        let home = Namespace::own()?;
        if home.enter().is_err() {
            // Who could not come back must not leave, and cannot have made a network here.
            return Ok(Vec::new());
        }
        let peers: Vec<Link> = links::list(&mut Route::open_in(inside)?)?;
        let mut route = Route::open()?;
        let mut found = Vec::new();
        for (index, peer) in peers.iter().filter_map(|link| Some((link.index, link.peer?))) {
            found.extend(Member::at(&mut route, inside, index, peer)?);
        }
        found.retain(|member| member.label.name.as_deref() == Some(name));
        Ok(found)
    }

    /// The host at the end number `end` here, if that is the end of number `index` inside and a port of a network.
    fn at(route: &mut Route, inside: &Namespace, index: u32, end: u32) -> Result<Option<Self>> {
        let Some(link) = links::look_index(route, end)? else { return Ok(None) };
        if link.peer != Some(index) || link.peer_nsid != nsids::find(route, inside)? {
            return Ok(None);
        }
        let Some(bridge) = link.master.map(|bridge| links::look_index(route, bridge)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let host = Network::of(&bridge).and_then(|network| {
            let number = network.host_number(&link.name)?;
            let label = link.alias.as_deref().and_then(PortLabel::read).unwrap_or_default();
            Some(Member { network, number, label })
        });
        Ok(host)
    }

    /// Takes back its published ports, with what flows through them, and its name.
    pub fn leave(self) -> Result<()> {
        let addresses = bare(self.network.addresses(self.number));
        if let Some(mut names) = Hosts::open_if_there(&self.network.name)? {
            names.set(&addresses, None)?;
        }
        resolver::remove(&self.network, self.number);
        if self.label.ports.is_empty() {
            return Ok(());
        }
        let mut nft = Nft::open()?;
        ports::purge(&mut nft, &self.network, &addresses)?;
        ports::forget_flows(&mut nft, &addresses)?;
        nft.close_elsewhere();
        Ok(())
    }
}
