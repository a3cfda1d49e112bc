//! Which interface is the other end of which: veth(4), and what lies on top of another interface, as a macvlan does.
//!
//! The kernel tells the number of the other interface, and the number by which this namespace knows the other
//! one. That number is looked up by asking for those of the namespaces where such an interface is, one by one.

use super::space::Space;
use crate::netlink::links::Link;
use crate::netlink::nsids;
use std::collections::HashMap;

/// An interface: its namespace, as an index into the survey, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct End {
    /// The namespace.
    pub space: usize,
    /// The number.
    pub index: u32,
}

/// For each interface that has one, the other end.
#[derive(Debug, Default)]
pub struct Wiring(HashMap<End, End>);

impl Wiring {
    /// Finds the other ends of all interfaces.
    pub fn of(spaces: &mut [Space]) -> Self {
        let mut by_number: HashMap<u32, Vec<usize>> = HashMap::new();
        for (space, links) in spaces.iter().map(|space| &space.links).enumerate() {
            for link in links {
                by_number.entry(link.index).or_default().push(space);
            }
        }
        let mut wiring = Wiring::default();
        for space in 0..spaces.len() {
            wiring.learn(spaces, space, &by_number);
        }
        wiring
    }

    /// The other end of an interface.
    pub fn peer(&self, end: End) -> Option<End> {
        self.0.get(&end).copied()
    }

    fn learn(&mut self, spaces: &mut [Space], space: usize, by_number: &HashMap<u32, Vec<usize>>) {
        let mut known: HashMap<i32, usize> = HashMap::new();
        let links: Vec<Link> =
            spaces[space].links.iter().filter(|link| link.peer.is_some()).cloned().collect();
        for link in links {
            let Some(index) = link.peer else { continue };
            let there = match link.peer_nsid {
                None => Some(space),
                Some(id) => known.get(&id).copied().or_else(|| {
                    let candidates = by_number.get(&index).map_or(&[][..], Vec::as_slice);
                    find(spaces, space, &link, id, candidates)
                }),
            };
            if let (Some(there), Some(id)) = (there, link.peer_nsid) {
                known.insert(id, there);
            }
            if let Some(space_there) = there.filter(|there| spaces[*there].link(index).is_some()) {
                self.0.insert(End { space, index: link.index }, End { space: space_there, index });
            }
        }
    }
}

/// The namespace that `space` knows as `id`: first among those where the interface points back to `link`.
fn find(spaces: &mut [Space], space: usize, link: &Link, id: i32, candidates: &[usize]) -> Option<usize> {
    let points_back = |there: &usize| {
        let other = link.peer.and_then(|index| spaces[*there].link(index));
        other.is_some_and(|other| other.peer == Some(link.index))
    };
    let (likely, others): (Vec<usize>, Vec<usize>) = candidates.iter().copied().partition(points_back);
    likely.into_iter().chain(others).find(|there| knows(spaces, space, *there) == Some(id))
}

/// The number by which one namespace knows the other.
fn knows(spaces: &mut [Space], space: usize, there: usize) -> Option<i32> {
    let mut open = spaces[space].open.take()?;
    let id = match &spaces[there].open {
        Some(other) => nsids::find(&mut open.route, &other.namespace).ok().flatten(),
        None if space == there => nsids::find(&mut open.route, &open.namespace).ok().flatten(),
        None => None,
    };
    spaces[space].open = Some(open);
    id
}
