//! `netns link`: two namespaces joined directly.

use crate::cidr::Cidr;
use crate::interface::Place;
use crate::namespace::Which;
use crate::netlink::links::{self, Settings};
use crate::site::Site;
use crate::verbs::addr::give;
use crate::verbs::veth::{self, Ends};
use chain::{Error, Result};

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Remove the link, if it is there
    #[arg(long)]
    rm: bool,
    /// One namespace, . for the one that netns runs in
    #[arg(value_name = "NETNS")]
    near: Which,
    /// The other
    #[arg(value_name = "NETNS")]
    far: Which,
    /// Networks to take addresses from: the first for the first namespace, the second for the second
    #[arg(value_name = "SUBNET")]
    subnets: Vec<Cidr>,
}

/// Makes a pair of interfaces, each named after the namespace that it leads to, or removes it.
pub fn run(options: &Options) -> Result<u8> {
    let Options { near, far, subnets, .. } = options;
    let what = format!("link {near} and {far}");
    let places = [(near, far), (far, near)].map(|(at, to)| place(at, to, &what));
    let [near, far] = places;
    let (near, far) = (near?, far?);
    let addresses = addresses(subnets, &what)?;
    if options.rm {
        return veth::remove(&near, &far).map(|()| 0);
    }
    let mut ends = Ends { near: Site::open(&near.netns)?, far: Site::open(&far.netns)? };
    if ends.near.namespace.inode() == ends.far.namespace.inode() {
        return Err(Error::new(what, "it is one namespace"));
    }
    make(&mut ends, &near, &far, &addresses, &what).map(|()| 0)
}

/// The interface at one end.
fn place(at: &Which, to: &Which, what: &str) -> Result<Place> {
    let name = match to {
        Which::Own => "host",
        Which::Named(name) => name.as_str(),
        Which::File(_) => return Err(Error::new(what, "a file gives no name for an interface").hint(VETH)),
    };
    let interface = name.parse().map_err(|why| Error::new(what, format_args!("{name}: {why}")).hint(VETH))?;
    Ok(Place { interface, netns: at.clone() })
}

const VETH: &str = "`netns veth NAME@NETNS NAME@NETNS` makes a pair with names of your choice";

/// Of each network the first two addresses of hosts; a network of two has no other than those.
fn addresses(subnets: &[Cidr], what: &str) -> Result<Vec<[Cidr; 2]>> {
    let pair = |subnet: &Cidr| {
        let first = u32::from(Cidr::host(subnet.ip).prefix - subnet.prefix > 1);
        Some([subnet.nth(first)?, subnet.nth(first + 1)?])
    };
    let of =
        |subnet| pair(subnet).ok_or_else(|| Error::new(what, format_args!("{subnet} has no two addresses")));
    subnets.iter().map(of).collect()
}

fn make(ends: &mut Ends, near: &Place, far: &Place, addresses: &[[Cidr; 2]], what: &str) -> Result<()> {
    let was_there = links::look(&mut ends.near.route, &near.interface)?.is_some();
    veth::make(ends, near, far, &Settings::up())?;
    let given = give_own(&mut ends.near, near, addresses, 0, what)
        .and_then(|()| give_own(&mut ends.far, far, addresses, 1, what));
    given.inspect_err(|_| {
        if !was_there {
            let _ = ends.near.route.ask(links::remove(&near.interface));
        }
    })
}

/// Gives the interface the address number `end` of each network.
fn give_own(site: &mut Site, place: &Place, addresses: &[[Cidr; 2]], end: usize, what: &str) -> Result<()> {
    let link = site.find(what, &place.interface)?;
    let own: Vec<Cidr> = addresses.iter().map(|pair| pair[end]).collect();
    give(site, link.index, place, &own)
}
