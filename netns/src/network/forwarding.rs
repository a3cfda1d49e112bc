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
        .try_for_each(|(family, switch, value)| write(&file(family, bridge, switch), value))
}

/// The interfaces that lead out: those of the default routes.
pub fn uplinks<'a>(links: &'a [Link], ways: &[Way]) -> BTreeSet<&'a str> {
    let out = ways.iter().filter(|way| way.to.prefix == 0).filter_map(|way| way.index);
    out.filter_map(|index| links.iter().find(|link| link.index == index))
        .map(|link| link.name.as_str())
        .collect()
}

/// The switches that let packets of networks through the uplinks, and are off.
pub fn off_at(uplinks: &BTreeSet<&str>, has_v6: bool) -> Result<Vec<String>> {
    let families = if has_v6 { ["4", "6"].as_slice() } else { &["4"] };
    let mut off = Vec::new();
    for (uplink, family) in uplinks.iter().flat_map(|uplink| families.iter().map(move |f| (uplink, f))) {
        let switch = format!("{family}:{uplink}");
        let value = of_switch(&switch).map(|file| read(&file)).transpose()?.flatten();
        if value.is_some_and(|value| value != "1") {
            off.push(switch);
        }
    }
    Ok(off)
}

/// Turns switches on: all, or none.
pub fn switch_on(switches: &[String]) -> Result<()> {
    let files: Vec<PathBuf> = switches.iter().filter_map(|switch| of_switch(switch)).collect();
    files.iter().try_for_each(|file| write(file, "1")).inspect_err(|_| switch_off(switches))
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

/// What a switch says; nothing where the kernel has no such one.
fn read(file: &Path) -> Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(|text| Some(text.trim().to_owned())).cannot_with(|| format!("read {}", show(file))),
    }
}

/// Writes a value, where the kernel has such a switch and it says another one.
fn write(file: &Path, value: &str) -> Result<()> {
    if read(file)?.is_none_or(|before| before == value) {
        return Ok(());
    }
    fs::write(file, value).cannot_with(|| format!("write {value} to {}", show(file))).map_err(|e| {
        e.hint("no packet goes through a network without it; in a container /proc/sys may be read-only")
    })
}
