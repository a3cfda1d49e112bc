//! Where inside a port leads: to the loopback, or to the address that the server there listens at.

use crate::netlink::sockets::{Listener, Protocol, Sockets};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A port inside, as one family of addresses comes to it.
type Key = (Protocol, u16, bool);

/// What is known of the ports inside.
#[derive(Debug)]
pub struct Targets {
    sockets: Option<Sockets>,
    known: BTreeMap<Key, SocketAddr>,
}

impl Targets {
    /// For the namespace that this process is in.
    pub fn new() -> Self {
        // A kernel without sock_diag(7) leaves the loopback.
        Targets { sockets: Sockets::open().ok(), known: BTreeMap::new() }
    }

    /// Where a server was last, or else the loopback of the family.
    pub fn guess(&self, protocol: Protocol, port: u16, is_v4: bool) -> SocketAddr {
        let known = self.known.get(&(protocol, port, is_v4)).copied();
        known.unwrap_or_else(|| SocketAddr::new(loopback(is_v4), port))
    }

    /// Where to go when the guess was wrong: rules may lead a port of the other loopback that nobody listens on.
    pub fn second(&mut self, protocol: Protocol, port: u16, is_v4: bool) -> SocketAddr {
        let found = self.look(protocol, port, is_v4);
        found.unwrap_or_else(|| SocketAddr::new(loopback(!is_v4), port))
    }

    /// Where a server is now; none when nothing listens.
    fn look(&mut self, protocol: Protocol, port: u16, is_v4: bool) -> Option<SocketAddr> {
        let all = self.sockets.as_mut()?.listeners(&[protocol]).ok()?;
        let found = choose(&all, port, is_v4);
        match found {
            Some(at) => self.known.insert((protocol, port, is_v4), at),
            None => self.known.remove(&(protocol, port, is_v4)),
        };
        found
    }

    /// The same, without looking again where one was found before, and the guess where none is.
    pub fn find(&mut self, protocol: Protocol, port: u16, is_v4: bool) -> SocketAddr {
        if !self.known.contains_key(&(protocol, port, is_v4)) {
            self.look(protocol, port, is_v4);
        }
        self.guess(protocol, port, is_v4)
    }

    /// Has the next one look again.
    pub fn forget(&mut self, protocol: Protocol, port: u16, is_v4: bool) {
        self.known.remove(&(protocol, port, is_v4));
    }
}

fn loopback(is_v4: bool) -> IpAddr {
    if is_v4 { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

/// The best of those that listen on the port: of the same family first, then at all addresses or the loopback.
fn choose(all: &[Listener], port: u16, is_v4: bool) -> Option<SocketAddr> {
    let on_port = all.iter().map(|listener| listener.at).filter(|at| at.port() == port);
    let best = on_port
        .min_by_key(|at| (at.is_ipv4() != is_v4, !at.ip().is_unspecified(), !at.ip().is_loopback()))?;
    let ip = if best.ip().is_unspecified() { loopback(best.is_ipv4()) } else { best.ip() };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_found_wherever_it_listens() {
        for (listens, from_v4, from_v6) in [
            (&["0.0.0.0:80"][..], "127.0.0.1:80", "127.0.0.1:80"),
            (&["[::]:80"], "[::1]:80", "[::1]:80"),
            (&["10.0.0.2:80"], "10.0.0.2:80", "10.0.0.2:80"),
            (&["10.0.0.2:80", "127.0.0.2:80"], "127.0.0.2:80", "127.0.0.2:80"),
            (&["[fd00::2]:80", "127.0.0.1:80"], "127.0.0.1:80", "[fd00::2]:80"),
            (&["0.0.0.0:80", "[::]:80"], "127.0.0.1:80", "[::1]:80"),
        ] {
            let all: Vec<Listener> = listens
                .iter()
                .map(|at| Listener { protocol: Protocol::Tcp, at: at.parse().unwrap(), inode: 0 })
                .collect();
            let found = [true, false].map(|is_v4| choose(&all, 80, is_v4).unwrap().to_string());
            assert_eq!(found, [from_v4, from_v6]);
            assert_eq!(choose(&all, 81, true), None);
        }
    }
}
