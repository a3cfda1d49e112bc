//! Ports of this host that lead to one of a network.

pub use crate::netlink::sockets::Protocol;
use chain::Error;
use chain::text::show;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};
use std::str::FromStr;

/// `[ADDR:]HOST[-END]:CONT[-END][/PROTO][,proxy]`: a port or a range of the same length on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The address of this host; all of its family when unspecified.
    pub address: IpAddr,
    /// The first port of this host.
    pub host: u16,
    /// The first port inside.
    pub inside: u16,
    /// How many ports, at least one.
    pub count: u16,
    /// What is carried.
    pub protocol: Protocol,
    /// It is led by a process, not by rules of the kernel.
    pub is_proxied: bool,
}

impl Published {
    /// The pairs of ports: of this host, and inside.
    pub fn pairs(self) -> impl Iterator<Item = (u16, u16)> {
        (0..self.count).map(move |i| (self.host + i, self.inside + i))
    }

    /// Whether no packet can be meant for both.
    pub fn is_apart_from(self, address: IpAddr, protocol: Protocol, port: u16) -> bool {
        let same_port = (self.host..=self.host + (self.count - 1)).contains(&port);
        let same_family = self.address.is_ipv4() == address.is_ipv4();
        let both = same_family
            && (self.address == address || self.address.is_unspecified() || address.is_unspecified());
        !(both && same_port && self.protocol == protocol)
    }

    /// The first port that something on this host has already. What listens there would be hidden.
    pub fn in_use(self) -> Option<(u16, io::Error)> {
        self.pairs().find_map(|(port, _)| {
            let at = (self.address, port);
            let bound = match self.protocol {
                Protocol::Tcp => TcpListener::bind(at).map(drop),
                Protocol::Udp => UdpSocket::bind(at).map(drop),
            };
            bound.err().map(|e| (port, e))
        })
    }
}

/// Refuses a port that is given twice.
pub fn check<'a>(ports: impl Iterator<Item = &'a Published>) -> chain::Result<()> {
    let mut before: Vec<&Published> = Vec::new();
    for port in ports {
        let is_apart =
            |host| before.iter().all(|other| other.is_apart_from(port.address, port.protocol, host));
        if let Some((host, _)) = port.pairs().find(|(host, _)| !is_apart(*host)) {
            return Err(Error::new(
                format_args!("publish {port}"),
                format_args!("port {host} is given twice"),
            ));
        }
        before.push(port);
    }
    Ok(())
}

impl FromStr for Published {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (text, is_proxied) = match text.split_once(',') {
            None => (text, false),
            Some((text, "proxy")) => (text, true),
            Some((_, other)) => return Err(format!("{} is not proxy", show(other))),
        };
        let (text, protocol) = match text.rsplit_once('/') {
            None => (text, Protocol::Tcp),
            Some((text, "tcp")) => (text, Protocol::Tcp),
            Some((text, "udp")) => (text, Protocol::Udp),
            Some((_, other)) => return Err(format!("{} is neither tcp nor udp", show(other))),
        };
        let (rest, inside) =
            text.rsplit_once(':').ok_or("it is not [ADDR:]PORT:PORT[/udp][,proxy], as in 8080:80")?;
        let (address, host) = match rest.rsplit_once(':') {
            Some((address, host)) => (read_address(address)?, host),
            None => (Ipv4Addr::LOCALHOST.into(), rest),
        };
        let ((host, last), (inside, inside_last)) = (range(host)?, range(inside)?);
        if last - host != inside_last - inside {
            return Err("the two ranges of ports are not of one length".to_owned());
        }
        let count = (last - host).checked_add(1).ok_or("it is all ports")?;
        // Packets to it never come to where the kernel could lead them elsewhere.
        let is_proxied = is_proxied || address.is_ipv6() && address.is_loopback();
        Ok(Published { address, host, inside, count, protocol, is_proxied })
    }
}

/// One that a packet to a single host can have.
fn read_address(text: &str) -> Result<IpAddr, String> {
    let ip = parse_address(text)?;
    let is_of_many = ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    match ip.to_canonical() {
        _ if is_of_many => Err(format!("{ip} is an address of many hosts")),
        // The kernel never sees the longer form in a packet.
        v4 if v4 != ip => Err(format!("[{ip}] is an address of IPv4, written {v4}")),
        _ => Ok(ip),
    }
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    match bare {
        Some(bare) => bare.parse::<std::net::Ipv6Addr>().map(IpAddr::V6).ok(),
        None => text.parse::<Ipv4Addr>().map(IpAddr::V4).ok(),
    }
    .ok_or_else(|| format!("{} is no address, as in 192.0.2.1 or [2001:db8::1]", show(text)))
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|port| digits && *port > 0)
    };
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        (Some(_), Some(_)) => Err(format!("the range {} ends before it begins", show(text))),
        _ => Err(format!("{} is no port, which is a number from 1 to 65535", show(text))),
    }
}

impl fmt::Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |first: u16| match self.count {
            1 => first.to_string(),
            count => format!("{first}-{}", first + (count - 1)),
        };
        let (host, inside, protocol) = (range(self.host), range(self.inside), self.protocol);
        match self.address {
            IpAddr::V4(ip) => write!(f, "{ip}:{host}:{inside}/{protocol}"),
            IpAddr::V6(ip) => write!(f, "[{ip}]:{host}:{inside}/{protocol}"),
        }?;
        f.write_str(if self.is_proxied { ",proxy" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_both_ways() {
        for (text, canonical) in [
            ("8080:80", "127.0.0.1:8080:80/tcp"),
            ("8080:80/udp", "127.0.0.1:8080:80/udp"),
            ("0.0.0.0:8000-8009:80-89", "0.0.0.0:8000-8009:80-89/tcp"),
            ("[::]:53:53/udp", "[::]:53:53/udp"),
            ("1-65535:1-65535", "127.0.0.1:1-65535:1-65535/tcp"),
            ("[::1]:80:80", "[::1]:80:80/tcp,proxy"),
            ("80:80/udp,proxy", "127.0.0.1:80:80/udp,proxy"),
        ] {
            let port: Published = text.parse().unwrap();
            assert_eq!(port.to_string(), canonical);
            assert_eq!(canonical.parse::<Published>().unwrap(), port);
        }
        for bad in [
            "",
            "80",
            ":80",
            "80:",
            "0:80",
            "80:0",
            "65536:80",
            "80:80/sctp",
            "80:80/",
            "8-9:80",
            "9-8:9-8",
            "::1:80:80",
            "80:80,",
            "80:80,nat",
            "80:80,proxy/udp",
            "localhost:80:80",
            "+8:80",
            "1.2.3:80:80",
            "[1.2.3.4]:80:80",
            "[::ffff:1.2.3.4]:80:80",
            "224.0.0.1:80:80",
            "255.255.255.255:80:80",
            "[ff02::1]:80:80",
        ] {
            assert!(bad.parse::<Published>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_overlaps_is_told() {
        let port = |text: &str| text.parse::<Published>().unwrap();
        let apart = |a: &str, b: &str| {
            let b = port(b);
            port(a).is_apart_from(b.address, b.protocol, b.host)
        };
        assert!(
            !apart("80:80", "80:81") && !apart("70-90:70-90", "80:80") && !apart("0.0.0.0:80:80", "80:80")
        );
        assert!(
            apart("80:80", "81:80") && apart("80:80", "80:80/udp") && apart("0.0.0.0:80:80", "[::]:80:80")
        );
    }
}
