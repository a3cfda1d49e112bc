//! The switches of the kernel that let packets through, for single interfaces: the global ones would make a router
//! of the whole host. Documentation/networking/ip-sysctl.rst.

use crate::netlink::links::Link;
use crate::netlink::routes::Way;
use chain::text::show;
use chain::{Cannot, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "/proc/sys/net";

/// What a bridge needs. Of IPv6 the router is this host, which asks no other one.
const OF_BRIDGE: [(&str, &str, &str); 6] = [
    ("ipv4", "forwarding", "1"),
    // For what comes from 127.0.0.1 to a published port; the table keeps others from using it.
    ("ipv4", "route_localnet", "1"),
    ("ipv6", "forwarding", "1"),
    ("ipv6", "force_forwarding", "1"),
    ("ipv6", "accept_ra", "0"),
    ("ipv6", "accept_dad", "0"),
];

fn file(family: &str, interface: &str, switch: &str) -> PathBuf {
    Path::new(DIRECTORY).join(family).join("conf").join(interface).join(switch)
}

/// Whether the kernel does IPv6.
pub fn has_v6() -> bool {
    let disabled = fs::read_to_string(file("ipv6", "all", "disable_ipv6"));
    disabled.is_ok_and(|text| text.trim() == "0")
}

/// Sets the switches of a bridge.
pub fn of_bridge(bridge: &str, has_v6: bool) -> Result<()> {
    let wanted = OF_BRIDGE.iter().filter(|(family, ..)| has_v6 || *family == "ipv4");
    wanted
        .into_iter()
        .try_for_each(|(family, switch, value)| write(&file(family, bridge, switch), value).map(drop))
}

/// The interfaces that lead out: those of the default routes.
pub fn uplinks<'a>(links: &'a [Link], ways: &[Way]) -> BTreeSet<&'a str> {
    let out = ways.iter().filter(|way| way.to.prefix == 0).filter_map(|way| way.index);
    out.filter_map(|index| links.iter().find(|link| link.index == index))
        .map(|link| link.name.as_str())
        .collect()
}

/// Lets packets of the networks through the uplinks, and gives the switches that were off before.
pub fn of_uplinks(uplinks: &BTreeSet<&str>, has_v6: bool) -> Result<Vec<String>> {
    let mut switched = Vec::new();
    for uplink in uplinks {
        for family in ["4", "6"].into_iter().filter(|family| has_v6 || *family == "4") {
            let switch = format!("{family}:{uplink}");
            let Some(file) = of_switch(&switch) else { continue };
            if write(&file, "1").inspect_err(|_| switch_off(&switched))? {
                switched.push(switch);
            }
        }
    }
    Ok(switched)
}

/// Undoes it. An interface that has gone needs nothing.
pub fn switch_off(switched: &[String]) {
    for file in switched.iter().filter_map(|switch| of_switch(switch)) {
        let _ = write(&file, "0");
    }
}

fn of_switch(switch: &str) -> Option<PathBuf> {
    match switch.split_once(':')? {
        ("4", interface) => Some(file("ipv4", interface, "forwarding")),
        ("6", interface) => Some(file("ipv6", interface, "force_forwarding")),
        _ => None,
    }
}

/// Writes a value, and tells whether it was another one before.
fn write(file: &Path, value: &str) -> Result<bool> {
    let before = match fs::read_to_string(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        before => before.cannot_with(|| format!("read {}", show(file)))?,
    };
    if before.trim() == value {
        return Ok(false);
    }
    let written = fs::write(file, value).cannot_with(|| format!("write {value} to {}", show(file)));
    written.map(|()| true).map_err(|e| {
        e.hint("no packet goes through a network without it; in a container /proc/sys may be read-only")
    })
}
