//! All network namespaces that can be found from here, with what is in each, and what they are connected to.
//!
//! | module | what it holds |
//! |---|---|
//! | [`find`] | where namespaces are found: names, mounts, processes |
//! | [`space`] | a namespace, and all that the kernel tells of its network |
//! | [`wiring`] | which interface is the other end of which |
//! | [`published`] | the ports of one namespace that lead into another |
//! | [`reading`] | what a rule of nftables says |

pub mod find;
pub mod published;
pub mod reading;
pub mod space;
pub mod wiring;

use crate::namespace::Namespace;
use crate::network::Network;
use crate::network::label::PortLabel;
use chain::Result;
use chain::ns::{self, Kind};
use chain::text::show;
use chain::{Cannot, Error};
use published::Published;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use space::Space;
use std::net::IpAddr;
use wiring::{End, Wiring};

/// What was found.
#[derive(Debug)]
pub struct Survey {
    /// The namespaces: the one that netns runs in first, then those with names, then the others.
    pub spaces: Vec<Space>,
    /// What is connected to what.
    pub wiring: Wiring,
}

/// A namespace as a host of a network.
#[derive(Debug)]
pub struct Membership {
    /// The network.
    pub network: String,
    /// What the others of it call the namespace.
    pub name: Option<String>,
}

impl Membership {
    /// How people are told of it, if it is called anything but `names`.
    pub fn told(&self, names: &[String]) -> Option<String> {
        let name = self.name.as_ref().filter(|name| !names.contains(name))?;
        Some(format!("{name} of network {}", self.network))
    }
}

impl Survey {
    /// Looks everywhere.
    pub fn take() -> Result<Self> {
        raise_limit();
        let home = Namespace::own()?;
        let own = ns::identity("self", Kind::Net.row().file).cannot("look at the own network namespace")?;
        // Who cannot come back must not leave.
        let way_back = home.enter().err();
        let found = find::all(own)?;
        let mut spaces: Vec<Space> =
            found.into_iter().map(|found| look(found, &home, way_back.as_ref())).collect();
        let wiring = Wiring::of(&mut spaces);
        Ok(Survey { spaces, wiring })
    }

    /// The namespaces that packets can come to from one, the nearest first, itself before all. Others may well have the
    /// same addresses: every user's first network has.
    pub fn reach(&self, space: usize) -> Vec<usize> {
        let mut found = vec![space];
        let mut next = 0;
        while let Some(&from) = found.get(next) {
            let ends = self.spaces[from].links.iter().map(|link| End { space: from, index: link.index });
            for end in ends.filter_map(|end| self.wiring.peer(end)) {
                if !found.contains(&end.space) {
                    found.push(end.space);
                }
            }
            next += 1;
        }
        found
    }

    /// The ports of a namespace that lead to another, each with the interface that it leads to where that is known.
    pub fn published(&self, space: usize) -> impl Iterator<Item = (&Published, Option<End>)> {
        let published = &self.spaces[space].published;
        let reach = if published.is_empty() { Vec::new() } else { self.reach(space) };
        published.iter().map(move |port| (port, self.holder(port.to.ip(), &reach)))
    }

    /// The interface that has this address, in the first of these namespaces.
    pub fn holder(&self, ip: IpAddr, among: &[usize]) -> Option<End> {
        among.iter().find_map(|&space| {
            let address = self.spaces[space].addresses.iter().find(|address| address.cidr.ip == ip)?;
            Some(End { space, index: address.index })
        })
    }

    /// The networks that a namespace is a host of, each with what it is called there.
    pub fn memberships(&self, space: usize) -> Vec<Membership> {
        let links = self.spaces[space].links.iter();
        links.filter_map(|link| self.membership(End { space, index: link.index })).collect()
    }

    fn membership(&self, end: End) -> Option<Membership> {
        let other = self.wiring.peer(end)?;
        let there = &self.spaces[other.space];
        let port = there.link(other.index)?;
        let network = Network::of(there.link(port.master?)?)?;
        network.host_number(&port.name)?;
        let name = port.alias.as_deref().and_then(PortLabel::read)?.name;
        Some(Membership { network: network.name.to_string(), name })
    }

    /// How people call an interface.
    pub fn place(&self, end: End) -> String {
        let (space, name) = (&self.spaces[end.space], self.name(end));
        if space.is_own { name } else { format!("{name}@{}", space.label()) }
    }

    /// How an interface is said on the command line of netns, whatever its name has in it for a shell: who is root in a
    /// namespace gives names as it likes.
    pub fn argument(&self, end: End) -> String {
        let (space, name) = (&self.spaces[end.space], show(self.name(end)));
        if space.is_own { name } else { format!("{name}@{}", space.argument()) }
    }

    fn name(&self, end: End) -> String {
        let link = self.spaces[end.space].link(end.index);
        link.map_or_else(|| format!("number {}", end.index), |link| link.name.clone())
    }
}

fn look(found: find::Found, home: &Namespace, way_back: Option<&Error>) -> Space {
    match way_back {
        Some(e) if !found.is_own => Space::closed(found, e.to_string()),
        _ => Space::look(found, home),
    }
}

/// Each namespace takes two descriptors.
fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Without success the namespaces beyond the limit are told as such.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
