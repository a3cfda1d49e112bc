//! Interfaces, addresses and routes of the namespace itself.

use super::Found;
use super::patient::{Outside, Patient, is_global};
use crate::cidr::Cidr;
use crate::netlink::links::Link;
use std::net::IpAddr;

/// lo is down.
pub fn loopback(patient: &Patient<'_>) -> Vec<Found> {
    let down = patient.space.links.iter().filter(|link| link.is_loopback && !link.is_up);
    down.map(|lo| {
        (
            format!("{} is down, so that nothing reaches 127.0.0.1", lo.name),
            vec![format!("netns up {}", patient.place(lo))],
        )
    })
    .collect()
}

/// There is nothing but lo.
pub fn interface(patient: &Patient<'_>) -> Vec<Found> {
    // What a kernel makes in each namespace by itself, as sit0, has no other end, and is down.
    let is_use = |link: &&Link| !link.is_loopback && (link.is_up || link.peer.is_some());
    if patient.space.is_own || patient.space.links.iter().any(|link| is_use(&link)) {
        return Vec::new();
    }
    let name = patient.space.argument();
    // `link` calls the other end by it.
    let subnet = free_subnet(patient).filter(|_| !name.contains('/'));
    let cure = subnet.map(|subnet| format!("netns link . {name} {subnet}"));
    vec![("it has no interface but lo".to_owned(), cure.into_iter().collect())]
}

/// The first small network of 10.200 that nothing seen from here overlaps.
fn free_subnet(patient: &Patient<'_>) -> Option<Cidr> {
    let pool = Cidr::new(IpAddr::from([10, 200, 0, 0]), 16)?;
    let used = |candidate: &Cidr| {
        let spaces = patient.survey.spaces.iter();
        let taken = spaces.flat_map(|space| {
            space.ways.iter().map(|way| way.to).chain(space.addresses.iter().map(|a| a.cidr))
        });
        let mut taken = taken.filter(|taken| taken.prefix > 0);
        taken.any(|taken| taken.contains(candidate.ip) || candidate.contains(taken.ip))
    };
    (0..64_u32).filter_map(|n| Cidr::new(pool.nth(n * 4)?.ip, 30)).find(|candidate| !used(candidate))
}

/// An interface that leads somewhere is down.
pub fn down(patient: &Patient<'_>) -> Vec<Found> {
    let down =
        patient.space.links.iter().filter(|link| !link.is_loopback && !link.is_up && link.peer.is_some());
    down.map(|link| (format!("{} is down", link.name), vec![format!("netns up {}", patient.place(link))]))
        .collect()
}

/// The way out has no address, or a host of a network not all of those that it was given.
pub fn address(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = &patient.outside else { return Vec::new() };
    let inner = outside.inner;
    let place = patient.place(inner);
    let has = |wanted: &dyn Fn(IpAddr) -> bool| {
        let mut own = patient.space.addresses_of(inner.index).map(|address| address.cidr.ip);
        own.any(|ip| is_global(ip) && wanted(ip))
    };
    let given = given_addresses(patient, outside);
    if given.is_empty() && !has(&|_| true) {
        let cure = free_address(patient).map(|cidr| format!("netns addr {place} {cidr}"));
        return vec![(format!("{} has no address", inner.name), cure.into_iter().collect())];
    }
    given
        .iter()
        .filter(|cidr| !has(&|ip| ip.is_ipv4() == cidr.ip.is_ipv4()))
        .map(|cidr| {
            let family = if cidr.ip.is_ipv4() { "IPv4" } else { "IPv6" };
            (format!("{} has no address of {family}", inner.name), vec![format!("netns addr {place} {cidr}")])
        })
        .collect()
}

/// What a host of a network has its name at the bridge for; nothing of a family that is turned off inside.
fn given_addresses(patient: &Patient<'_>, outside: &Outside<'_>) -> Vec<Cidr> {
    let Some(network) = outside.network() else { return Vec::new() };
    let Some(number) = network.host_number(&outside.port.name) else { return Vec::new() };
    let off = patient.setting(&format!("net/ipv6/conf/{}/disable_ipv6", outside.inner.name));
    let is_off = off.as_deref() == Some("1");
    network.addresses(number).filter(|cidr| cidr.ip.is_ipv4() || !is_off).collect()
}

/// The first address of the network outside that nobody has.
fn free_address(patient: &Patient<'_>) -> Option<Cidr> {
    let outside = patient.outside.as_ref()?;
    let mut networks = outside.space.addresses_of(outside.near().index).map(|address| address.cidr);
    let network = networks.find(|cidr| is_global(cidr.ip) && cidr.prefix < 31)?;
    let reach = patient.survey.reach(patient.index);
    let is_taken = |ip: IpAddr| patient.survey.holder(ip, &reach).is_some();
    // The last address of a network is that of all its hosts.
    let last =
        |cidr: &Cidr| cidr.ip.is_ipv4() && network.nth(1).is_some() && !network.contains(next(cidr.ip));
    (1..=1024).filter_map(|n| network.nth(n)).find(|cidr| !is_taken(cidr.ip) && !last(cidr))
}

fn next(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4(u32::from(ip).wrapping_add(1).into()),
        IpAddr::V6(ip) => IpAddr::V6(u128::from(ip).wrapping_add(1).into()),
    }
}

/// It has addresses, but no default route.
pub fn route(patient: &Patient<'_>) -> Vec<Found> {
    let Some(outside) = patient.outside.as_ref().filter(|outside| !outside.is_internal()) else {
        return Vec::new();
    };
    let own: Vec<Cidr> =
        patient.space.addresses_of(outside.inner.index).map(|address| address.cidr).collect();
    let missing = |is_v4: bool| {
        own.iter().any(|cidr| is_global(cidr.ip) && cidr.ip.is_ipv4() == is_v4)
            && !patient.defaults().any(|way| way.to.ip.is_ipv4() == is_v4)
    };
    let router = |is_v4: bool| {
        let mut there = outside.space.addresses_of(outside.near().index).map(|address| address.cidr.ip);
        there.find(|ip| {
            ip.is_ipv4() == is_v4 && own.iter().any(|cidr| is_global(cidr.ip) && cidr.contains(*ip))
        })
    };
    // Without a router of the family nobody has thought of a way out.
    [(true, "IPv4"), (false, "IPv6")]
        .into_iter()
        .filter(|(is_v4, _)| missing(*is_v4) && (*is_v4 || router(false).is_some()))
        .map(|(is_v4, name)| {
            let cure =
                router(is_v4).map(|ip| format!("netns route {} default via {ip}", patient.space.argument()));
            (format!("it has no default route of {name}"), cure.into_iter().collect())
        })
        .collect()
}
