//! A namespace put into a network: interface, addresses, routes, names and published ports, made in this order and
//! taken back when something is refused.
//!
//! | module | what it holds |
//! |---|---|
//! | [`plan`] | what is asked for, checked |
//! | [`interfaces`] | the pair of interfaces, and with it the address |
//! | [`ports`] | published ports as elements of the network's maps |
//! | [`leave`] | a namespace taken out again by its name |
//! | [`hosts`] | /etc/hosts for all of a network |
//! | [`resolver`] | /etc/resolv.conf |

pub mod hosts;
pub mod interfaces;
pub mod leave;
pub mod plan;
pub mod ports;
pub mod resolver;

use crate::cidr::Cidr;
use crate::firewall::open;
use crate::name::Name;
use crate::namespace::Namespace;
use crate::netlink::{Route, links};
use crate::network::turn::Turn;
use crate::network::{Network, guard, make};
use crate::nft::Nft;
use chain::Result;
use hosts::Hosts;
use plan::Plan;
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// A namespace in a network.
#[derive(Debug)]
pub struct Attachment {
    /// The file for /etc/hosts.
    pub hosts: PathBuf,
    /// The file for /etc/resolv.conf; none where this host has none that could be used there.
    pub resolver: Option<PathBuf>,
    network: Network,
    number: u32,
    nft: Nft,
    addresses: Vec<IpAddr>,
    has_ports: bool,
    has_name: bool,
}

/// Puts `inside`, which `inner` is a connection to, into the network of the plan.
pub fn attach(route: &mut Route, plan: &Plan, inside: &Namespace, inner: &mut Route) -> Result<Attachment> {
    let mut network = plan.network.clone();
    let mut nft = Nft::open()?;
    match plan.opens_firewall {
        true => {
            let _turn = Turn::take()?;
            make::open_firewall(route, &mut nft, &mut network)?;
        }
        false => open::tell(&mut nft, &network)?,
    }
    if plan.confinement.is_any() {
        guard::ensure(&mut nft, &network)?;
    }
    let (turn, mut names, host) = patiently(|| {
        let turn = (!plan.ports.is_empty()).then(Turn::take).transpose()?;
        ports::check(route, &mut nft, plan)?;
        let names = Hosts::open(&network.name)?;
        names.check(route, plan)?;
        Ok((turn, names, interfaces::make(route, plan, inside)?))
    })?;
    let mut attachment = Attachment {
        hosts: names.path(),
        resolver: None,
        addresses: bare(network.addresses(host.number)),
        network,
        number: host.number,
        nft,
        has_ports: !plan.ports.is_empty(),
        has_name: plan.name.is_some(),
    };
    let result = attachment.furnish(route, plan, inner, host.number, &mut names);
    drop((turn, names));
    match result {
        Ok(()) => Ok(attachment),
        Err(e) => {
            let undone = attachment.undo().and_then(|()| route.ask(links::remove(&host.port)).map(drop));
            if let Err(also) = undone {
                also.report();
            }
            Err(e)
        }
    }
}

/// The kernel removes the interfaces of a namespace a moment after its last process has ended, and what they hold
/// is free only then: a refusal that no system call has given is believed when it lasts.
pub fn patiently<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..TRIES {
        match work() {
            Err(e) if e.errno().is_none() => sleep(PAUSE),
            other => return other,
        }
    }
    work()
}

impl Attachment {
    fn furnish(
        &mut self,
        route: &mut Route,
        plan: &Plan,
        inner: &mut Route,
        number: u32,
        names: &mut Hosts,
    ) -> Result<()> {
        let name = plan.name.as_ref().map(Name::as_str);
        let index = interfaces::furnish(inner, plan, number)?;
        interfaces::finish(route, plan, index)?;
        ports::purge(&mut self.nft, &self.network, &self.addresses)?;
        names.set(&self.addresses, name)?;
        self.resolver = resolver::write(&self.network, number, &plan.dns)?;
        ports::publish(&mut self.nft, &self.network.name, name, &plan.ports, &self.addresses)
    }

    /// Takes back what does not go with the namespace. To be done while that is there still: with it goes the
    /// interface, and then the address is another's.
    pub fn undo(&mut self) -> Result<()> {
        if self.has_name
            && let Some(mut names) = Hosts::open_if_there(&self.network.name)?
        {
            names.set(&self.addresses, None)?;
        }
        if self.has_ports {
            ports::purge(&mut self.nft, &self.network, &self.addresses)?;
        }
        resolver::remove(&self.network, self.number);
        Ok(())
    }

    /// Ends without waiting for the kernel to forget what [`Attachment::undo`] has removed.
    pub fn leave(self) {
        if self.has_ports {
            self.nft.close_elsewhere();
        }
    }
}

/// The addresses of a host without their prefixes.
pub fn bare(addresses: impl Iterator<Item = Cidr>) -> Vec<IpAddr> {
    addresses.map(|cidr| cidr.ip).collect()
}
