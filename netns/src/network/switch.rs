//! Single switches below /proc/sys/net, as a label tells of them: `4:eth0`.

use chain::text::show;
use chain::{Cannot, Result};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "/proc/sys/net";

/// A switch that networks may need, of an interface or of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Switch {
    /// The interface takes part in forwarding of IPv4.
    Forward4(String),
    /// The same of IPv6, whatever the global switch says.
    Forward6(String),
    /// All interfaces take part in forwarding of IPv6.
    AllForward6,
    /// The interface takes what routers advertise although it is a router's.
    Advertisements(String),
    /// The interface takes part in forwarding of IPv6 in any case: it did before all others did.
    Stays6(String),
}

/// The file of a switch; `interface` may be `all` or `default` too.
pub fn file(family: &str, interface: &str, switch: &str) -> PathBuf {
    Path::new(DIRECTORY).join(family).join("conf").join(interface).join(switch)
}

impl Switch {
    /// What a label tells of; `None` when it is not of this kind.
    pub fn read(word: &str) -> Option<Self> {
        let (kind, interface) = word.split_once(':')?;
        let interface = interface.to_owned();
        Some(match (kind, interface.as_str()) {
            // No interface with such switches can be called so: addrconf_sysctl_register of net/ipv6/addrconf.c.
            ("6", "all") => Switch::AllForward6,
            ("4", _) => Switch::Forward4(interface),
            ("6", _) => Switch::Forward6(interface),
            ("ra", _) => Switch::Advertisements(interface),
            ("stays", _) => Switch::Stays6(interface),
            _ => return None,
        })
    }

    /// Its file.
    pub fn file(&self) -> PathBuf {
        match self {
            Switch::Forward4(interface) => file("ipv4", interface, "forwarding"),
            Switch::Forward6(interface) => file("ipv6", interface, "force_forwarding"),
            Switch::AllForward6 => file("ipv6", "all", "forwarding"),
            Switch::Advertisements(interface) => file("ipv6", interface, "accept_ra"),
            Switch::Stays6(interface) => file("ipv6", interface, "forwarding"),
        }
    }

    /// What it is set to.
    pub fn on(&self) -> &'static str {
        if matches!(self, Switch::Advertisements(_)) { "2" } else { "1" }
    }

    /// What it was before, and is set to in the end.
    pub fn off(&self) -> &'static str {
        if matches!(self, Switch::Advertisements(_) | Switch::Stays6(_)) { "1" } else { "0" }
    }

    /// It is on already, and is to be turned on again in the end.
    pub fn is_kept(&self) -> bool {
        matches!(self, Switch::Stays6(_))
    }

    /// It is as it is to be in the end.
    pub fn is_untouched(&self) -> bool {
        read(&self.file()).is_ok_and(|value| value.as_deref() == Some(self.off()))
    }

    /// What is said of it when it is turned on: of what does not stay within the network.
    pub fn remark(&self) -> Option<String> {
        let why = match self {
            Switch::AllForward6 => {
                "this kernel can forward IPv6 for all interfaces or for none, and does now for all".to_owned()
            }
            Switch::Advertisements(interface) => {
                format!("{interface} still learns its routes of IPv6 from routers, although it forwards now")
            }
            _ => return None,
        };
        let file = self.file();
        let path = file.strip_prefix("/proc/sys").unwrap_or(&file);
        Some(format!("warning: {why}: {}={}, until the last network goes", path.display(), self.on()))
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Switch::Forward4(interface) => write!(f, "4:{interface}"),
            Switch::Forward6(interface) => write!(f, "6:{interface}"),
            Switch::AllForward6 => f.write_str("6:all"),
            Switch::Advertisements(interface) => write!(f, "ra:{interface}"),
            Switch::Stays6(interface) => write!(f, "stays:{interface}"),
        }
    }
}

/// The value in a file; none where there is no such file.
pub fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        value => {
            value.map(|value| Some(value.trim().to_owned())).cannot_with(|| format!("read {}", show(file)))
        }
    }
}

/// Writes a value, and tells whether it was another one before. Where there is no such file nothing is done.
pub fn write(file: &Path, value: &str) -> Result<bool> {
    if read(file)?.is_none_or(|before| before == value) {
        return Ok(false);
    }
    let written = fs::write(file, value).cannot_with(|| format!("write {value} to {}", show(file)));
    written.map(|()| true).map_err(|e| {
        e.hint("no packet goes through a network without it; in a container /proc/sys may be read-only")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_go_both_ways() {
        for text in ["4:eth0", "6:eth0", "6:all", "ra:eth0", "stays:br:0"] {
            assert_eq!(Switch::read(text).unwrap().to_string(), text);
        }
        for bad in ["", "4", "5:eth0", "eth0"] {
            assert_eq!(Switch::read(bad), None, "{bad}");
        }
    }
}
