//! `netns addr`: addresses of an interface.

use crate::cidr::Cidr;
use crate::interface::Place;
use crate::netlink::Request;
use crate::netlink::addresses::{self, Address};
use crate::netlink::links;
use crate::output::print;
use crate::site::{self, Site};
use chain::{Error, Result};

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Take the addresses away, if they are there
    #[arg(long, requires = "addresses")]
    rm: bool,
    /// One JSON object per line: interface, address and tentative
    #[arg(long, conflicts_with_all = ["rm", "addresses"])]
    json: bool,
    /// The interface
    #[arg(value_name = "NAME[@NETNS]")]
    place: Place,
    /// Addresses to give it; without any, those that it has are listed
    #[arg(value_name = "ADDRESS/PREFIX")]
    addresses: Vec<Cidr>,
}

/// Lists, gives or takes away.
pub fn run(options: &Options) -> Result<u8> {
    let Options { place, addresses, .. } = options;
    match (addresses.as_slice(), options.rm) {
        ([], _) => list(place, options.json),
        (addresses, true) => remove(place, addresses),
        (addresses, false) => add(place, addresses),
    }
    .map(|()| 0)
}

fn add(place: &Place, addresses: &[Cidr]) -> Result<()> {
    let (mut site, link) = site::at(place, &format!("give {place} an address"))?;
    give(&mut site, link.index, place, addresses)
}

/// Gives the interface with number `index` at `place` all addresses, or none of them; what it has already stays.
pub fn give(site: &mut Site, index: u32, place: &Place, addresses: &[Cidr]) -> Result<()> {
    let all = addresses::list(&mut site.route)?;
    let has: Vec<Cidr> = all.iter().filter(|old| old.index == index).map(|old| old.cidr).collect();
    let mut new: Vec<Cidr> = Vec::new();
    for cidr in addresses.iter().filter(|cidr| !has.contains(cidr)) {
        check(place, *cidr, has.iter().chain(&new))?;
        new.push(*cidr);
    }
    let requests: Vec<Request> = new.iter().map(|cidr| addresses::add(index, place, *cidr)).collect();
    site.all_or_nothing(&requests, |done| Some(addresses::remove(index, place, new[done])))
}

/// Refuses what the kernel takes for something else: the address of nobody for none, and one of IPv6 that has another
/// prefix for what is there.
fn check<'a>(place: &Place, cidr: Cidr, mut before: impl Iterator<Item = &'a Cidr>) -> Result<()> {
    let what = || format!("give {place} the address {cidr}");
    if cidr.ip.is_unspecified() {
        return Err(Error::new(what(), "no host has that"));
    }
    match before.find(|other| cidr.ip.is_ipv6() && other.ip == cidr.ip && **other != cidr) {
        Some(other) => Err(Error::new(what(), format_args!("it has {other}"))),
        None => Ok(()),
    }
}

fn remove(place: &Place, addresses: &[Cidr]) -> Result<()> {
    let Some(mut site) = Site::open_if_there(&place.netns)? else { return Ok(()) };
    let Some(link) = links::look(&mut site.route, &place.interface)? else { return Ok(()) };
    let requests: Vec<Request> =
        addresses.iter().map(|cidr| addresses::remove(link.index, place, *cidr)).collect();
    site.route.batch(&requests).map(drop)
}

fn list(place: &Place, json: bool) -> Result<()> {
    let (mut site, link) = site::at(place, &format!("list the addresses of {place}"))?;
    let all = addresses::list(&mut site.route)?;
    let of_link = all.iter().filter(|address| address.index == link.index);
    print(of_link.map(|address| line(address, place, json)))
}

fn line(Address { cidr, is_tentative, .. }: &Address, place: &Place, json: bool) -> String {
    match json {
        true => serde_json::json!({
            "interface": place.interface.as_str(),
            "address": cidr.to_string(),
            "tentative": is_tentative,
        })
        .to_string(),
        false => cidr.to_string(),
    }
}
