//! What is written on a bridge: the alias of the interface, as `ip -d link` shows it.

use crate::cidr::Cidr;
use chain::text::is_name;
use std::fmt;

/// The number of the bridge itself among the hosts: the router.
pub const ROUTER: u32 = 1;
const MARK: &str = "netns";

/// All of a network that its name does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The subnet of IPv4.
    pub v4: Cidr,
    /// The subnet of IPv6.
    pub v6: Option<Cidr>,
    /// It has no way out.
    pub is_internal: bool,
    /// Its hosts do not reach each other.
    pub is_isolated: bool,
    /// The firewalls of others are to let it through.
    pub is_open: bool,
    /// The switches that were turned on for it, to be turned off at the end: `4:eth0`.
    pub switched: Vec<String>,
    /// It is being made or removed; if nobody does that any more, it is to be removed.
    pub is_half: bool,
}

impl Label {
    /// A network of these subnets, with nothing special.
    pub fn of(v4: Cidr, v6: Option<Cidr>) -> Self {
        let (is_internal, is_isolated, is_open, is_half) = (false, false, false, false);
        Label { v4, v6, is_internal, is_isolated, is_open, is_half, switched: Vec::new() }
    }

    /// Takes down switches, and tells whether there was a new one among them.
    pub fn note(&mut self, switches: impl IntoIterator<Item = String>) -> bool {
        let before = self.switched.len();
        for switch in switches {
            if !self.switched.contains(&switch) {
                self.switched.push(switch);
            }
        }
        self.switched.len() > before
    }

    /// Both subnets.
    pub fn subnets(&self) -> impl Iterator<Item = Cidr> + use<> {
        [Some(self.v4), self.v6].into_iter().flatten()
    }

    /// What an alias says; `None` when it is not of this kind.
    pub fn read(alias: &str) -> Option<Self> {
        let mut words = alias.split(' ');
        if words.next() != Some(MARK) {
            return None;
        }
        let v4 = words.next()?.parse().ok()?;
        let mut label = Label::of(v4, None);
        words.for_each(|word| label.learn(word));
        label.v4.ip.is_ipv4().then_some(label)
    }

    fn learn(&mut self, word: &str) {
        match word {
            "internal" => self.is_internal = true,
            "no-icc" => self.is_isolated = true,
            "open-firewall" => self.is_open = true,
            "half" => self.is_half = true,
            _ => match word.strip_prefix("on=") {
                Some(switch) => self.switched.push(switch.to_owned()),
                None => self.v6 = word.parse().ok().filter(|cidr: &Cidr| cidr.ip.is_ipv6()).or(self.v6),
            },
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK} {}", self.v4)?;
        self.v6.iter().try_for_each(|v6| write!(f, " {v6}"))?;
        let words = [
            (self.is_internal, "internal"),
            (self.is_isolated, "no-icc"),
            (self.is_open, "open-firewall"),
            (self.is_half, "half"),
        ];
        words.iter().filter(|(is_so, _)| *is_so).try_for_each(|(_, word)| write!(f, " {word}"))?;
        self.switched.iter().try_for_each(|switch| write!(f, " on={switch}"))
    }
}

/// What is written on the interface of a host at the bridge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortLabel {
    /// What the host is called.
    pub name: Option<String>,
    /// Its published ports, as on the command line, and [`MORE`] where not all are named.
    pub ports: Vec<String>,
}

/// `IFALIASZ` of linux/if.h, without the zero at the end.
const LONGEST: usize = 255;
/// Stands for ports that there is no room for.
const MORE: &str = "...";

impl PortLabel {
    /// What an alias says; `None` when it is not of this kind.
    pub fn read(alias: &str) -> Option<Self> {
        let mut words = alias.split(' ');
        if words.next() != Some(MARK) {
            return None;
        }
        let name = words.next().filter(|name| is_name(name)).map(str::to_owned);
        Some(PortLabel { name, ports: words.map(str::to_owned).collect() })
    }

    /// As much of it as the kernel takes, with [`MORE`] for the rest.
    #[must_use]
    pub fn cut(mut self) -> Self {
        while self.to_string().len() > LONGEST {
            self.ports.truncate(self.ports.len().saturating_sub(2));
            self.ports.push(MORE.to_owned());
        }
        self
    }
}

impl fmt::Display for PortLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK} {}", self.name.as_deref().unwrap_or("-"))?;
        self.ports.iter().try_for_each(|port| write!(f, " {port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_go_both_ways() {
        for text in [
            "netns 10.0.0.0/24",
            "netns 10.0.0.0/24 fd00::/64 internal no-icc open-firewall",
            "netns 10.0.0.0/24 fd00::/64 on=4:eth0 on=ra:eth0 on=6:all",
            "netns 10.0.0.0/24 half on=4:eth0",
        ] {
            assert_eq!(Label::read(text).unwrap().to_string(), text);
        }
        for other in ["", "uplink", "netns", "netns fd00::/64", "netns x"] {
            assert_eq!(Label::read(other), None, "{other}");
        }
        for text in ["netns -", "netns web", "netns web 127.0.0.1:80:80/tcp [::]:53:53/udp"] {
            assert_eq!(PortLabel::read(text).unwrap().to_string(), text);
        }
        assert_eq!(PortLabel::read("eth"), None);
        let label =
            PortLabel { name: Some("x".repeat(200)), ports: vec!["127.0.0.1:80:80/tcp".to_owned(); 5] };
        assert_eq!(
            label.cut().to_string(),
            format!("netns {} 127.0.0.1:80:80/tcp 127.0.0.1:80:80/tcp ...", "x".repeat(200))
        );
    }
}
