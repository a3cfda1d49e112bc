//! Subnets that nobody uses.

use crate::cidr::Cidr;
use crate::netlink::{Route, addresses, routes};
use chain::{Error, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where the subnets of IPv4 come from when none is given: 256 of 254 hosts. Neither Docker nor podman gives these.
const POOL: [u8; 2] = [10, 210];

/// What this host, and others that it knows a way to, use already.
#[derive(Debug)]
pub struct Taken(Vec<Cidr>);

impl Taken {
    /// Asks the kernel for routes and addresses. A route to everywhere takes nothing.
    pub fn ask(route: &mut Route) -> Result<Self> {
        let mut ways = routes::list(route)?;
        ways.retain(|way| !way.leads_everywhere());
        let mut taken: Vec<Cidr> = ways.into_iter().map(|way| way.to).collect();
        taken.extend(addresses::list(route)?.into_iter().map(|address| address.cidr));
        Ok(Taken(taken))
    }

    fn by(&self, subnet: Cidr) -> Option<Cidr> {
        self.0.iter().copied().find(|taken| taken.contains(subnet.ip) || subnet.contains(taken.ip))
    }

    /// The first free subnet of the pool.
    pub fn free_v4(&self) -> Result<Cidr> {
        let [a, b] = POOL;
        let pool = (0..=u8::MAX).map(|c| Cidr { ip: Ipv4Addr::new(a, b, c, 0).into(), prefix: 24 });
        pool.into_iter().find(|subnet| self.by(*subnet).is_none()).ok_or_else(|| {
            Error::new("choose a subnet", format_args!("all of {a}.{b}.0.0/16 is in use"))
                .hint("give one, as in `netns net add NAME 10.1.2.0/24`")
        })
    }

    /// A subnet that was asked for, if it can be had.
    pub fn check(&self, subnet: Cidr) -> Result<Cidr> {
        let what = || format!("use the subnet {subnet}");
        let longest = if subnet.ip.is_ipv4() { 30 } else { 112 };
        let shortest = if subnet.ip.is_ipv4() { 8 } else { 48 };
        if !(shortest..=longest).contains(&subnet.prefix) {
            return Err(Error::new(what(), format_args!("its prefix is not from {shortest} to {longest}")));
        }
        if subnet.ip != subnet.network() {
            let network = Cidr { ip: subnet.network(), ..subnet };
            return Err(Error::new(what(), "the bits of the host are not zero")
                .hint(format_args!("the subnet is {network}")));
        }
        if !is_for_hosts(subnet.ip) {
            return Err(Error::new(what(), "no host can have such addresses"));
        }
        self.by(subnet).map_or(Ok(subnet), |taken| {
            Err(Error::new(what(), format_args!("this host uses or reaches {taken} already"))
                .hint("without a subnet, a free one is chosen"))
        })
    }
}

fn is_for_hosts(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            !(ip.is_loopback()
                || ip.is_multicast()
                || ip.is_link_local()
                || ip.octets()[0] == 0
                || ip.octets()[0] >= 240)
        }
        IpAddr::V6(ip) => {
            // The first 64 bits of what is reserved, ::1, ::ffff:192.0.2.1 and others, are zero: RFC 4291.
            !(ip.is_multicast() || ip.is_unicast_link_local() || ip.segments().starts_with(&[0; 4]))
        }
    }
}

/// A unique local subnet: RFC 4193. The same on this machine for the same name and subnet of IPv4, and on others
/// another.
pub fn unique_local(name: &str, v4: Cidr) -> Cidr {
    let machine = fs::read("/etc/machine-id").unwrap_or_default();
    let hash = hash(&(machine, name, v4.to_string())).to_be_bytes();
    let mut octets = [0; 16];
    octets[0] = 0xfd;
    octets[1..6].copy_from_slice(&hash[..5]);
    Cidr { ip: Ipv6Addr::from(octets).into(), prefix: 64 }
}

/// The same number for the same thing in each run of the same program.
pub fn hash(thing: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    thing.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn what_overlaps_is_not_chosen() {
        let taken = Taken(vec![cidr("10.210.0.7/32"), cidr("10.210.1.0/24"), cidr("10.210.2.0/23")]);
        assert_eq!(taken.free_v4().unwrap(), cidr("10.210.4.0/24"));
        assert!(Taken(vec![cidr("10.0.0.0/8")]).free_v4().is_err());
        for bad in [
            "10.210.0.0/24",
            "10.0.0.0/8",
            "10.1.2.3/24",
            "10.1.2.0/31",
            "127.0.0.0/24",
            "224.1.0.0/16",
            "fd00::/120",
            "fe80::/64",
            "::/64",
            "::ffff:10.0.0.0/112",
        ] {
            assert!(taken.check(cidr(bad)).is_err(), "{bad}");
        }
        assert_eq!(taken.check(cidr("10.210.5.0/24")).unwrap(), cidr("10.210.5.0/24"));
    }

    #[test]
    fn the_subnet_of_ipv6_is_stable_and_local() {
        let one = unique_local("a", cidr("10.0.0.0/24"));
        assert_eq!(one, unique_local("a", cidr("10.0.0.0/24")));
        assert_ne!(one, unique_local("b", cidr("10.0.0.0/24")));
        assert!(one.to_string().starts_with("fd") && one.prefix == 64 && one.network() == one.ip);
    }
}
