//! A namespace under examination.

use crate::firewall::Firewalls;
use crate::netlink::Route;
use crate::netlink::links::Link;
use crate::netlink::neighbours::{self, Neighbour};
use crate::netlink::routes::Way;
use crate::network::Network;
use crate::network::guard::Confinement;
use crate::nft::Nft;
use crate::nft::flows::{self, Flow};
use crate::survey::Survey;
use crate::survey::published::Published;
use crate::survey::space::Space;
use crate::survey::wiring::End;
use chain::text::is_name;
use chain::{Error, Result};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::rc::Rc;

/// The namespace, the way out of it, and what is known of both.
#[derive(Debug)]
pub struct Patient<'a> {
    /// All there is.
    pub survey: &'a Survey,
    /// The index of the namespace.
    pub index: usize,
    /// The namespace.
    pub space: &'a Space,
    /// The hosts that it has looked for.
    pub neighbours: Vec<Neighbour>,
    /// What its interface with the default route, or the only one, is connected to.
    pub outside: Option<Outside<'a>>,
}

/// What an interface of the namespace is connected to.
#[derive(Debug)]
pub struct Outside<'a> {
    /// The interface, in the namespace.
    pub inner: &'a Link,
    /// The namespace of the other end.
    pub index: usize,
    /// The same.
    pub space: &'a Space,
    /// The other end.
    pub port: &'a Link,
    /// The bridge that it is a port of.
    pub bridge: Option<&'a Link>,
    /// What the other namespace does with packets.
    pub facts: Rc<Facts>,
}

/// The facts of namespaces that were asked for them before, by their index in the survey.
pub type Known = HashMap<usize, Rc<Facts>>;

/// What a namespace does with packets.
#[derive(Debug, Default)]
pub struct Facts {
    /// Rules, its own and those of others.
    pub firewalls: Firewalls,
    /// The connections that are followed.
    pub flows: Vec<Flow>,
}

impl<'a> Patient<'a> {
    /// Learns what the survey does not tell.
    pub fn of(survey: &'a Survey, index: usize, known: &mut Known) -> Result<Self> {
        let space = &survey.spaces[index];
        if let Some(trouble) = &space.trouble {
            return Err(Error::new(format_args!("examine {}", space.label()), trouble));
        }
        let neighbours = visit(space, || neighbours::list(&mut Route::open()?))?;
        let outside = outside(survey, index, known)?;
        Ok(Patient { survey, index, space, neighbours, outside })
    }

    /// How an interface of it is said on the command line.
    pub fn place(&self, link: &Link) -> String {
        self.survey.argument(End { space: self.index, index: link.index })
    }

    /// What it is connected to, unless that other end hangs in the air: where nothing gets through, it is of no use to
    /// ask what becomes of it there.
    pub fn attached(&self) -> Option<&Outside<'a>> {
        self.outside.as_ref().filter(|outside| !outside.is_loose())
    }

    /// A setting of the kernel in the namespace, by its path below /proc/sys.
    pub fn setting(&self, path: &str) -> Option<String> {
        setting(self.space, path)
    }

    /// The default routes.
    pub fn defaults(&self) -> impl Iterator<Item = &Way> {
        self.space.ways.iter().filter(|way| way.to.prefix == 0)
    }

    /// The ports of the namespace outside that lead into this one.
    pub fn published(&self) -> impl Iterator<Item = &'a Published> {
        let is_own = |port: &&Published| self.space.addresses.iter().any(|own| own.cidr.ip == port.to.ip());
        self.outside.iter().flat_map(|outside| &outside.space.published).filter(is_own)
    }
}

impl<'a> Outside<'a> {
    /// The interface that its namespace sees the packets come in by: the bridge, or the other end itself.
    pub fn near(&self) -> &'a Link {
        self.bridge.unwrap_or(self.port)
    }

    /// The other end is in no bridge and has no address.
    pub fn is_loose(&self) -> bool {
        let mut given = self.space.addresses_of(self.port.index);
        self.bridge.is_none() && self.port.kind == "veth" && !given.any(|address| is_global(address.cidr.ip))
    }

    /// How an interface there is said on the command line.
    pub fn place(&self, survey: &Survey, link: &Link) -> String {
        survey.argument(End { space: self.index, index: link.index })
    }

    /// The network that netns made the bridge for.
    pub fn network(&self) -> Option<Network> {
        self.bridge.and_then(Network::of)
    }

    /// It is not meant to lead anywhere.
    pub fn is_internal(&self) -> bool {
        self.network().is_some_and(|network| {
            network.label.is_internal || Confinement::of(&network, self.port.group).is_internal
        })
    }

    /// The interface that leads on from there, for one address family.
    pub fn uplink(&self, is_v4: bool) -> Option<&'a Link> {
        if self.is_internal() {
            return None;
        }
        let leads_on = |way: &&Way| way.leads_everywhere() && way.to.ip.is_ipv4() == is_v4;
        let ways = self.space.ways.iter().filter(leads_on);
        let way = ways.min_by_key(|way| (Reverse(way.to.prefix), way.metric))?;
        self.space.link(way.index?).filter(|link| link.index != self.near().index)
    }

    /// A setting of the kernel there, by its path below /proc/sys.
    pub fn setting(&self, path: &str) -> Option<String> {
        setting(self.space, path)
    }

    /// A command line that works there.
    pub fn command(&self, line: &str) -> String {
        within(self.space, line)
    }
}

/// A command line that works in a namespace.
pub fn within(space: &Space, line: &str) -> String {
    match (space.names.first(), space.processes.first()) {
        _ if space.is_own => line.to_owned(),
        (Some(name), _) if is_name(name) => format!("netns exec {name} {line}"),
        (None, Some(process)) => format!("nsenter-rs -n -t {} {line}", process.pid),
        _ => format!("nsenter-rs -n{} {line}", space.argument()),
    }
}

fn setting(space: &Space, path: &str) -> Option<String> {
    let read = || Ok(fs::read_to_string(format!("/proc/sys/{path}")).ok());
    visit(space, read).ok().flatten().map(|value| value.trim().to_owned())
}

/// Runs `work` in a namespace of the survey.
fn visit<T>(space: &Space, work: impl FnOnce() -> Result<T>) -> Result<T> {
    match &space.open {
        Some(open) => open.namespace.visit(work),
        None => Err(Error::new(format_args!("examine {}", space.label()), "it cannot be entered")),
    }
}

fn outside<'a>(survey: &'a Survey, index: usize, known: &mut Known) -> Result<Option<Outside<'a>>> {
    let Some((inner, end)) = way_out(survey, index) else { return Ok(None) };
    let space = &survey.spaces[end.space];
    let Some(port) = space.link(end.index) else { return Ok(None) };
    let bridge = port.master.and_then(|bridge| space.link(bridge));
    let facts = match known.get(&end.space) {
        Some(facts) => Rc::clone(facts),
        None => Rc::new(visit(space, || Ok(facts()))?),
    };
    known.insert(end.space, Rc::clone(&facts));
    Ok(Some(Outside { inner, index: end.space, space, port, bridge, facts }))
}

/// The interface of the default route if it has another end, else the first that has one.
fn way_out(survey: &Survey, index: usize) -> Option<(&Link, End)> {
    let space = &survey.spaces[index];
    let default = space.ways.iter().find(|way| way.to.prefix == 0).and_then(|way| space.link(way.index?));
    default.into_iter().chain(&space.links).find_map(|link| {
        let end = survey.wiring.peer(End { space: index, index: link.index })?;
        (end.space != index && survey.spaces[end.space].open.is_some()).then_some((link, end))
    })
}

/// What cannot be asked for is not held against anybody.
fn facts() -> Facts {
    let Ok(mut nft) = Nft::open() else { return Facts::default() };
    Facts {
        firewalls: Firewalls::read(&mut nft).unwrap_or_default(),
        flows: flows::list(&mut nft).unwrap_or_default(),
    }
}

/// An address that is of use beyond the link.
pub fn is_global(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    }
}
