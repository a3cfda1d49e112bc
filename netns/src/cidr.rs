//! An address and how many of its bits are the network's: RFC 4632.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// `ADDRESS/PREFIX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    /// The address, with the bits of the host.
    pub ip: IpAddr,
    /// How many bits are the network's.
    pub prefix: u8,
}

impl Cidr {
    /// An address and its prefix; `None` where it has not that many bits.
    pub fn new(ip: IpAddr, prefix: u8) -> Option<Self> {
        (prefix <= bits(ip)).then_some(Cidr { ip, prefix })
    }

    /// The address of the network: all bits of the host are zero.
    pub fn network(self) -> IpAddr {
        let host = u32::from(bits(self.ip) - self.prefix);
        match self.ip {
            IpAddr::V4(ip) => Ipv4Addr::from(u32::MAX.checked_shl(host).unwrap_or(0) & u32::from(ip)).into(),
            IpAddr::V6(ip) => {
                Ipv6Addr::from(u128::MAX.checked_shl(host).unwrap_or(0) & u128::from(ip)).into()
            }
        }
    }

    /// Whether `ip` is an address of the network.
    pub fn contains(self, ip: IpAddr) -> bool {
        Cidr::new(ip, self.prefix)
            .is_some_and(|other| ip.is_ipv4() == self.ip.is_ipv4() && other.network() == self.network())
    }

    /// The address number `n` of the network, which is number 0; `None` when it ends before.
    pub fn nth(self, n: u32) -> Option<Cidr> {
        let ip = match self.network() {
            IpAddr::V4(ip) => IpAddr::V4(u32::from(ip).checked_add(n)?.into()),
            IpAddr::V6(ip) => IpAddr::V6(u128::from(ip).checked_add(n.into())?.into()),
        };
        self.contains(ip).then_some(Cidr { ip, ..self })
    }

    /// The address with nothing but itself as its network.
    pub fn host(ip: IpAddr) -> Self {
        Cidr { ip, prefix: bits(ip) }
    }
}

/// The length of an address.
fn bits(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

impl FromStr for Cidr {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (ip, prefix) =
            text.split_once('/').ok_or("the length of the prefix is missing, as in 10.0.0.1/24")?;
        let ip = ip.parse().map_err(|_| "it is no address of IPv4 or IPv6")?;
        let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits).ok_or("the length of the prefix is no number")?;
        Cidr::new(ip, prefix).ok_or("the prefix is longer than the address")
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn text_goes_both_ways() {
        for text in ["10.0.0.1/24", "0.0.0.0/0", "10.0.0.1/32", "fd00::1/64", "::/0", "::1/128"] {
            assert_eq!(cidr(text).to_string(), text);
        }
        for bad in
            ["", "10.0.0.1", "10.0.0/24", "10.0.0.1/33", "::1/129", "10.0.0.1/", "10.0.0.1/+8", "/8", "x/8"]
        {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_has_its_addresses_and_no_other() {
        for (text, network) in [
            ("10.1.2.3/24", "10.1.2.0"),
            ("10.1.2.3/0", "0.0.0.0"),
            ("10.1.2.3/32", "10.1.2.3"),
            ("fd00::1:2/64", "fd00::"),
            ("fd00::1/0", "::"),
        ] {
            assert_eq!(cidr(text).network().to_string(), network);
        }
        assert!(cidr("10.1.2.3/24").contains("10.1.2.255".parse().unwrap()));
        assert!(!cidr("10.1.2.3/24").contains("10.1.3.0".parse().unwrap()));
        assert!(!cidr("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert_eq!(cidr("10.0.0.0/30").nth(2).unwrap().to_string(), "10.0.0.2/30");
        assert_eq!(cidr("fd00::/64").nth(1).unwrap().to_string(), "fd00::1/64");
        assert_eq!(cidr("10.0.0.0/30").nth(4), None);
        assert_eq!(cidr("255.255.255.255/32").nth(1), None);
    }
}
