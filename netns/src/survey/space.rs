//! A network namespace, and all that the kernel tells of its network.

use super::find::{Found, Process};
use super::published::{self, Published};
use crate::names;
use crate::namespace::Namespace;
use crate::netlink::Route;
use crate::netlink::addresses::{self, Address};
use crate::netlink::links::{self, Link};
use crate::netlink::routes::{self, Way};
use crate::netlink::sockets::{Listener, Protocol, Sockets};
use crate::nft::Nft;
use chain::Result;
use chain::error::Cannot;
use chain::ns::{self, Kind};
use chain::text::{is_name, show};
use netlink_packet_route::address::AddressScope;
use std::path::PathBuf;

/// A namespace.
#[derive(Debug, Default)]
pub struct Space {
    /// What tells it from others.
    pub inode: u64,
    /// It is the one that netns runs in.
    pub is_own: bool,
    /// Its names in /run/netns.
    pub names: Vec<String>,
    /// Other files that it is bound on.
    pub files: Vec<PathBuf>,
    /// The processes with a thread in it.
    pub processes: Vec<Process>,
    /// Why it cannot be looked into; what follows is empty then.
    pub trouble: Option<String>,
    /// Its interfaces.
    pub links: Vec<Link>,
    /// Their addresses.
    pub addresses: Vec<Address>,
    /// The routes of the main table.
    pub ways: Vec<Way>,
    /// The sockets that wait for what comes in.
    pub listeners: Vec<Listener>,
    /// Its ports that lead into another.
    pub published: Vec<Published>,
    /// What it was opened with, for further questions.
    pub open: Option<Open>,
}

/// The namespace as a descriptor, and a connection to it.
#[derive(Debug)]
pub struct Open {
    /// The namespace.
    pub namespace: Namespace,
    /// What speaks to the kernel there.
    pub route: Route,
}

impl Space {
    /// Looks into a namespace, and comes back to `home`.
    pub fn look(found: Found, home: &Namespace) -> Self {
        let mut space = Space::of(found);
        if let Err(e) = space.learn(home) {
            space = Space { trouble: Some(e.to_string()), ..space };
        }
        space
    }

    /// One that cannot be looked into.
    pub fn closed(found: Found, trouble: String) -> Self {
        Space { trouble: Some(trouble), ..Space::of(found) }
    }

    fn of(found: Found) -> Self {
        let Found { inode, is_own, names, files, processes } = found;
        Space { inode, is_own, names, files, processes, ..Space::default() }
    }

    fn learn(&mut self, home: &Namespace) -> Result<()> {
        let namespace = self.open()?;
        let route = match self.is_own {
            true => self.learn_inside(),
            false => {
                namespace.enter()?;
                let learned = self.learn_inside();
                home.enter()?;
                learned
            }
        }?;
        self.open = Some(Open { namespace, route });
        Ok(())
    }

    fn learn_inside(&mut self) -> Result<Route> {
        let mut route = Route::open()?;
        self.links = links::list(&mut route)?;
        self.addresses = addresses::list(&mut route)?;
        self.ways = routes::list(&mut route)?;
        self.listeners = Sockets::open()?.listeners(&[Protocol::Tcp, Protocol::Udp])?;
        // Reading rules takes CAP_NET_ADMIN, which all else does not.
        self.published = published::list(&mut Nft::open()?).unwrap_or_default();
        Ok(route)
    }

    /// A descriptor of it, by whatever leads to it.
    fn open(&mut self) -> Result<Namespace> {
        if self.is_own {
            return Namespace::own();
        }
        self.forget_the_dead();
        let fd = match (self.names.first(), self.files.first(), self.processes.first()) {
            (Some(name), _, _) => names::open_file(name)?,
            (None, Some(file), _) => {
                std::fs::File::open(file).cannot_with(|| format!("open {}", show(file)))?.into()
            }
            (None, None, Some(process)) => ns::open(&process.pid.to_string(), Kind::Net)
                .cannot_with(|| format!("open the network namespace of process {}", process.pid))?,
            (None, None, None) => return Namespace::own(),
        };
        Ok(Namespace::of(self.label(), fd))
    }

    /// What it is called on the command line of netns, fit for a shell. A name that only another tool would give is not
    /// taken there, but its file is.
    pub fn argument(&self) -> String {
        match self.names.first().filter(|name| !self.is_own && !is_name(name)) {
            Some(name) => show(names::file(name)),
            None => show(self.label()),
        }
    }

    /// Processes come and go, and their numbers with them: the first one that is left has to lead to it still.
    fn forget_the_dead(&mut self) {
        let is_in = |process: &Process| {
            ns::open(&process.pid.to_string(), Kind::Net)
                .and_then(|fd| Ok(rustix::fs::fstat(fd)?))
                .is_ok_and(|stat| stat.st_ino == self.inode)
        };
        if let Some(alive) = self.processes.iter().position(is_in) {
            self.processes.drain(..alive);
        }
    }

    /// What it is called: a name, a process, a file, or `.` for the one that netns runs in.
    pub fn label(&self) -> String {
        match (self.names.first(), self.processes.first(), self.files.first()) {
            _ if self.is_own => ".".to_owned(),
            (Some(name), _, _) => name.clone(),
            (None, Some(process), _) => process.pid.to_string(),
            (None, None, file) => file.map(show).unwrap_or_default(),
        }
    }

    /// The interface with this number.
    pub fn link(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|link| link.index == index)
    }

    /// The addresses of an interface.
    pub fn addresses_of(&self, index: u32) -> impl Iterator<Item = &Address> {
        self.addresses.iter().filter(move |address| address.index == index)
    }

    /// The same for people, without those of IPv6 that only the link knows: every interface has one.
    pub fn told_addresses(&self, index: u32) -> impl Iterator<Item = String> {
        let is_told = |address: &&Address| address.cidr.ip.is_ipv4() || address.scope != AddressScope::Link;
        self.addresses_of(index).filter(is_told).map(|address| address.cidr.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_opened_by_the_first_process_that_is_still_in_it() {
        let own = ns::identity("self", Kind::Net.row().file).unwrap().1;
        let process = |pid| Process { pid, command: String::new() };
        let processes = vec![process(u32::MAX), process(0), process(std::process::id())];
        let mut space = Space { inode: own, processes, ..Space::default() };
        assert!(space.open().is_ok());
        assert_eq!(space.label(), std::process::id().to_string());
        let mut gone = Space { inode: own, processes: vec![process(u32::MAX)], ..Space::default() };
        assert!(gone.open().is_err());
    }
}
