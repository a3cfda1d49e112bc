//! What an interface may be called, and which interface is meant.

use crate::namespace::Which;
use std::fmt;
use std::str::FromStr;

/// The name of an interface: `dev_valid_name` of net/core/dev.c, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface(String);

/// `IFNAMSIZ` of linux/if.h, without the zero at the end.
const LONGEST: usize = 15;

impl Interface {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Interface {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/:@%".contains(c);
        match text {
            "" => Err("the name of the interface is empty"),
            // The latter two are directories of /proc/sys/net/ipv4/conf: net/ipv4/devinet.c.
            "." | ".." | "all" | "default" => Err("no interface can be called so"),
            _ if text.len() > LONGEST => Err("the name of an interface has at most 15 bytes"),
            _ if text.starts_with('-') => Err("the name of an interface does not begin with -"),
            _ if text.chars().any(is_odd) => Err("the name of an interface has no white space, / : @ or %"),
            _ => Ok(Interface(text.to_owned())),
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An interface and where it is: `NAME[@NETNS]`, without `@` in the namespace that netns runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The interface.
    pub interface: Interface,
    /// The network namespace.
    pub netns: Which,
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (interface, netns) = text.split_once('@').unwrap_or((text, "."));
        Ok(Place { interface: interface.parse()?, netns: netns.parse()? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.netns {
            Which::Own => self.interface.fmt(f),
            netns => write!(f, "{}@{netns}", self.interface),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_the_kernel_takes() {
        for good in ["lo", "eth0", "nb0-2f", "a.100", "é", "123456789012345"] {
            assert_eq!(good.parse::<Interface>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "all",
            "default",
            "a b",
            "a/b",
            "a:1",
            "a%d",
            "1234567890123456",
            "-x",
            "a\n",
            "a\u{1b}",
        ] {
            assert!(bad.parse::<Interface>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_place_is_a_name_and_a_namespace() {
        for text in ["eth0", "eth0@web", "eth0@7", "eth0@/proc/1/ns/net"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        assert_eq!("eth0@.".parse::<Place>().unwrap().netns, Which::Own);
        for bad in ["", "@web", "eth0@", "eth0@a b", "eth0@a@b"] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
    }
}
