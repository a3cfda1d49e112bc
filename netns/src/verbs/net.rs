//! `netns net`: networks.

use crate::cidr::Cidr;
use crate::firewall::open;
use crate::netlink::links::{self, Link};
use crate::netlink::{Route, routes};
use crate::network::guard::Confinement;
use crate::network::label::{Label, PortLabel};
use crate::network::subnets::{Taken, unique_local};
use crate::network::turn::Turn;
use crate::network::{NetName, Network, forwarding, make, removal};
use crate::nft::Nft;
use crate::output::print;
use chain::error::FAILED;
use chain::{Error, Result};
use std::iter::once;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// What to do with networks
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand, Debug)]
enum Verb {
    /// Make a network: a bridge with addresses, and the rules for it
    Add(Add),
    /// List the networks
    #[command(alias = "list")]
    Ls(Ls),
    /// Remove networks
    Rm(Rm),
    /// Load the rules of networks again, and turn on again what they need
    Repair(Repair),
}

#[derive(clap::Args, Debug)]
struct Add {
    /// What to call it
    name: NetName,
    /// Its subnets, one of IPv4 and one of IPv6; free ones when none is given
    #[arg(value_name = "SUBNET")]
    subnets: Vec<Cidr>,
    /// No way out, and none in but from this host
    #[arg(long)]
    internal: bool,
    /// Its hosts do not reach each other
    #[arg(long)]
    no_icc: bool,
    /// Have the firewalls of others let it through
    #[arg(long)]
    open_firewall: bool,
    /// The largest packet, in bytes; that of the way out when not given
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1280..=65535))]
    mtu: Option<u32>,
}

#[derive(clap::Args, Debug)]
struct Ls {
    /// One JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args, Debug)]
struct Rm {
    /// The networks
    #[arg(required = true, value_name = "NAME")]
    names: Vec<NetName>,
    /// Even if hosts are in them
    #[arg(short, long)]
    force: bool,
}

#[derive(clap::Args, Debug)]
struct Repair {
    /// Have the firewalls of others let them through
    #[arg(long)]
    open_firewall: bool,
    /// The networks; all when none is given
    #[arg(value_name = "NAME")]
    names: Vec<NetName>,
}

/// Does it.
pub fn run(options: &Options) -> Result<u8> {
    let mut route = Route::open()?;
    let _turn = match &options.verb {
        Verb::Ls(_) => None,
        _ => Some(Turn::take()?),
    };
    match &options.verb {
        Verb::Add(options) => add(&mut route, options).map(|()| 0),
        Verb::Ls(options) => list(&mut route, options).map(|()| 0),
        Verb::Rm(options) => each(&options.names, |name| removal::remove(&mut route, name, options.force)),
        Verb::Repair(options) => {
            let names = match options.names.as_slice() {
                [] => Network::list(&mut route)?.into_iter().map(|network| network.name).collect(),
                given => given.to_vec(),
            };
            each(&names, |name| repair(&mut route, name, options.open_firewall))
        }
    }
}

/// Does all, past errors, which are told.
fn each(names: &[NetName], mut work: impl FnMut(&NetName) -> Result<()>) -> Result<u8> {
    let errors: Vec<Error> = names.iter().filter_map(|name| work(name).err()).collect();
    errors.iter().for_each(|e| {
        e.report();
    });
    Ok(if errors.is_empty() { 0 } else { FAILED })
}

fn add(route: &mut Route, options: &Add) -> Result<()> {
    let label = label(route, options)?;
    let mtu = match options.mtu {
        None if !options.internal => mtu_of_uplinks(route)?,
        given => given,
    };
    let network = make::add(route, &options.name, label, mtu)?;
    open::tell(&mut Nft::open()?, &network)
}

fn label(route: &mut Route, options: &Add) -> Result<Label> {
    let taken = Taken::ask(route)?;
    let (v4, v6): (Vec<Cidr>, Vec<Cidr>) = options.subnets.iter().partition(|subnet| subnet.ip.is_ipv4());
    if let [_, second, ..] = v4.as_slice() {
        return Err(Error::new(format_args!("use the subnet {second}"), "a network has one subnet of IPv4"));
    }
    if let [_, second, ..] = v6.as_slice() {
        return Err(Error::new(format_args!("use the subnet {second}"), "a network has one subnet of IPv6"));
    }
    let v4 = v4.first().map_or_else(|| taken.free_v4(), |subnet| taken.check(*subnet))?;
    let v6 = match v6.first() {
        Some(subnet) if forwarding::has_v6() => Some(taken.check(*subnet)?),
        Some(subnet) => {
            return Err(Error::new(
                format_args!("use the subnet {subnet}"),
                "IPv6 is turned off on this host",
            ));
        }
        None => forwarding::has_v6().then(|| unique_local(options.name.as_str(), v4)),
    };
    Ok(Label {
        is_internal: options.internal,
        is_isolated: options.no_icc,
        is_open: options.open_firewall,
        ..Label::of(v4, v6)
    })
}

/// The smallest of the interfaces that lead out: larger packets would have to be cut, or be lost.
fn mtu_of_uplinks(route: &mut Route) -> Result<Option<u32>> {
    let all = links::list(route)?;
    let uplinks = forwarding::uplinks(&all, &routes::list(route)?);
    Ok(all.iter().filter(|link| uplinks.contains(link.name.as_str())).map(|link| link.mtu).min())
}

fn repair(route: &mut Route, name: &NetName, opens: bool) -> Result<()> {
    let mut network = make::repair(route, name)?;
    match opens || network.label.is_open {
        true => make::open_firewall(route, &mut Nft::open()?, &mut network),
        false => open::tell(&mut Nft::open()?, &network),
    }
}

fn list(route: &mut Route, options: &Ls) -> Result<()> {
    let all = links::list(route)?;
    let networks = Network::among(&all);
    if options.json {
        return print(networks.iter().map(|network| json(network, &all)));
    }
    let mut rows = networks.iter().map(|network| row(network, &all)).peekable();
    let head = rows.peek().is_some().then(|| format!("{:12} {:18} {:24} HOSTS", "NETWORK", "IPV4", "IPV6"));
    print(head.into_iter().chain(rows))
}

fn hosts<'a>(network: &'a Network, all: &'a [Link]) -> impl Iterator<Item = &'a Link> {
    all.iter().filter(|link| link.master == Some(network.index))
}

fn row(network: &Network, all: &[Link]) -> String {
    let Label { v4, v6, .. } = network.label;
    let v6 = v6.map_or_else(|| "-".to_owned(), |v6| v6.to_string());
    let count = hosts(network, all).count();
    let Label { is_internal, is_isolated, is_open, .. } = network.label;
    let words = [(is_internal, " internal"), (is_isolated, " no-icc"), (is_open, " open-firewall")];
    let words: String = words.into_iter().filter_map(|(is_so, word)| is_so.then_some(word)).collect();
    format!("{:12} {:18} {v6:24} {count}{words}", network.name.as_str(), v4.to_string())
}

fn json(network: &Network, all: &[Link]) -> String {
    let Label { v4, v6, is_internal, is_isolated, is_open, .. } = network.label;
    let addresses = |n| network.addresses(n).map(|cidr| cidr.ip.to_string()).collect::<Vec<_>>();
    let hosts: Vec<_> = hosts(network, all)
        .filter_map(|link| {
            let label = link.alias.as_deref().and_then(PortLabel::read).unwrap_or_default();
            let Confinement { is_internal, is_isolated } = Confinement::of(network, link.group);
            Some(serde_json::json!({
                "name": label.name,
                "interface": link.name,
                "addresses": addresses(network.host_number(&link.name)?),
                "ports": label.ports,
                "internal": is_internal,
                "icc": !is_isolated,
            }))
        })
        .collect();
    let subnets: Vec<String> = once(v4).chain(v6).map(|subnet| subnet.to_string()).collect();
    serde_json::json!({
        "name": network.name.as_str(),
        "interface": format!("nb-{}", network.name),
        "mtu": network.mtu,
        "subnets": subnets,
        "router": addresses(crate::network::label::ROUTER),
        "internal": is_internal,
        "icc": !is_isolated,
        "open_firewall": is_open,
        "hosts": hosts,
    })
    .to_string()
}
