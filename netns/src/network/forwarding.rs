//! The switches of the kernel that let packets through, for single interfaces: the global ones would make a router
//! of the whole host. Documentation/networking/ip-sysctl.rst.
//!
//! Linux before 6.17 has none for single interfaces in IPv6. Where it is missing the global one is turned on, and what
//! would come of that besides is kept away: a router takes no advertisements of routers unless it is told to.

use super::switch::{Switch, file, read, write};
use crate::netlink::links::Link;
use crate::netlink::routes::Way;
use chain::Result;
use chain::error::say;
use std::collections::BTreeSet;

/// What a bridge needs. Of IPv6 the router is this host, which asks no other one.
///
/// Not conf/BRIDGE/forwarding of IPv6: to turn it on for any interface has the kernel forget the default routes that
/// routers have advertised on all others (`addrconf_fixup_forwarding` of net/ipv6/addrconf.c).
const OF_BRIDGE: [(&str, &str, &str); 5] = [
    ("ipv4", "forwarding", "1"),
    // For what comes from 127.0.0.1 to a published port; the table keeps others from using it.
    ("ipv4", "route_localnet", "1"),
    ("ipv6", "force_forwarding", "1"),
    ("ipv6", "accept_ra", "0"),
    ("ipv6", "accept_dad", "0"),
];

/// Whether the kernel does IPv6.
pub fn has_v6() -> bool {
    read(&file("ipv6", "all", "disable_ipv6")).is_ok_and(|value| value.as_deref() == Some("0"))
}

/// Sets the switches of a bridge.
pub fn of_bridge(bridge: &str, has_v6: bool) -> Result<()> {
    let wanted = OF_BRIDGE.iter().filter(|(family, ..)| has_v6 || *family == "ipv4");
    wanted
        .into_iter()
        .try_for_each(|(family, switch, value)| write(&file(family, bridge, switch), value).map(drop))
}

/// The interfaces that lead out: those of the default routes, and of what stands in front of them.
pub fn uplinks<'a>(links: &'a [Link], ways: &[Way]) -> BTreeSet<&'a str> {
    let out = ways.iter().filter(|way| way.leads_everywhere()).filter_map(|way| way.index);
    out.filter_map(|index| links.iter().find(|link| link.index == index))
        .map(|link| link.name.as_str())
        .collect()
}

/// The switches that are to be turned, in this order, to let packets of networks through the uplinks. `switched` are
/// those that were turned for networks before.
pub fn of_uplinks(
    uplinks: &BTreeSet<&str>,
    links: &[Link],
    has_v6: bool,
    switched: &[String],
) -> Result<Vec<Switch>> {
    let mut wanted: Vec<Switch> =
        uplinks.iter().map(|uplink| Switch::Forward4((*uplink).to_owned())).collect();
    let is_old = has_v6 && read(&file("ipv6", "default", "force_forwarding"))?.is_none();
    match (has_v6, is_old) {
        (false, _) => {}
        (true, false) => wanted.extend(uplinks.iter().map(|uplink| Switch::Forward6((*uplink).to_owned()))),
        (true, true) => wanted.extend(globally(uplinks, links, switched)?),
    }
    let is_off = |switch: &Switch| Ok(read(&switch.file())?.is_some_and(|value| value != switch.on()));
    let mut to_turn = Vec::new();
    for switch in wanted {
        if is_off(&switch)? || switch.is_kept() {
            to_turn.push(switch);
        }
    }
    Ok(to_turn)
}

/// The same for all of IPv6, and first what keeps the rest as it was.
fn globally(uplinks: &BTreeSet<&str>, links: &[Link], switched: &[String]) -> Result<Vec<Switch>> {
    let is_on = read(&Switch::AllForward6.file())?.as_deref() == Some(Switch::AllForward6.on());
    if is_on && !switched.contains(&Switch::AllForward6.to_string()) {
        // The administrator has made a router of this host.
        return Ok(Vec::new());
    }
    let listen = uplinks.iter().map(|uplink| Switch::Advertisements((*uplink).to_owned()));
    let mut switches: Vec<Switch> = listen.filter(Switch::is_untouched).collect();
    if !is_on {
        // The global switch turns those of all interfaces: on now, and off in the end.
        let forward = links.iter().map(|link| Switch::Stays6(link.name.clone()));
        switches.extend(forward.filter(Switch::is_untouched));
        switches.push(Switch::AllForward6);
    }
    Ok(switches)
}

/// Turns switches, and says what of it does not stay within the network: all, or none.
pub fn turn(switches: &[Switch]) -> Result<()> {
    for (i, switch) in switches.iter().enumerate() {
        write(&switch.file(), switch.on()).inspect_err(|_| turn_back(&switches[..i]))?;
        if let Some(what) = switch.remark() {
            say(&what);
        }
    }
    Ok(())
}

/// Undoes it, the last first. An interface that has gone needs nothing.
pub fn turn_back(switches: &[Switch]) {
    for switch in switches.iter().rev() {
        let _ = write(&switch.file(), switch.off());
    }
}
