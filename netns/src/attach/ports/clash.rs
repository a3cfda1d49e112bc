//! Ports that another host or a program of this host has already.

use super::entry::{Entry, list};
use super::publish::remove;
use crate::attach::plan::{Plan, is_there};
use crate::netlink::Route;
use crate::network::{NetName, Network};
use crate::nft::{INET, Nft};
use crate::published::Published;
use chain::{Error, Result};
use nix::errno::Errno;
use std::io;

/// Refuses ports that another host or a program of this host has already. Those of hosts that are gone are freed.
/// What is free stays so for the holder of the [turn](crate::network::turn).
pub fn check(route: &mut Route, nft: &mut Nft, plan: &Plan) -> Result<()> {
    if plan.all_ports().next().is_none() {
        return Ok(());
    }
    let tables = nft.tables().map_err(|refusal| refusal.of("list tables"))?;
    for table in tables.iter().filter(|table| table.family == INET) {
        let Some(Ok(name)) = table.name.strip_prefix(NetName::TABLE).map(str::parse) else { continue };
        check_against(route, nft, plan, &name)?;
    }
    plan.ports
        .iter()
        .find_map(|port| port.in_use().map(|(number, e)| taken(port, number, &e)))
        .map_or(Ok(()), Err)
}

fn check_against(route: &mut Route, nft: &mut Nft, plan: &Plan, name: &NetName) -> Result<()> {
    for entry in list(nft, &name.table())? {
        let Some(port) = plan.all_ports().find(|port| entry.clashes_with(port)) else { continue };
        if leads_somewhere(route, name, &entry)? {
            return Err(published_already(port, &entry, name));
        }
        remove(nft, &name.table(), &[entry])?;
    }
    Ok(())
}

/// Whether the host that it leads to still has its interface.
fn leads_somewhere(route: &mut Route, name: &NetName, entry: &Entry) -> Result<bool> {
    match (Network::find(route, name), entry.to()) {
        (Ok(network), Some(to)) => is_there(route, &network, to),
        _ => Ok(false),
    }
}

fn published_already(port: &Published, entry: &Entry, network: &NetName) -> Error {
    let (number, protocol) = (entry.port, port.protocol);
    let of = &entry.element.comment;
    Error::new(
        format_args!("publish {port}"),
        format_args!("{number}/{protocol} is published already, for {of} of the network {network}"),
    )
    .hint("`netns gc` frees the ports of hosts that are gone")
}

/// Why a port of this host cannot be had.
pub fn taken(port: &Published, number: u16, e: &io::Error) -> Error {
    let what = format!("publish {port}");
    match e.kind() {
        io::ErrorKind::PermissionDenied => {
            Error::new(what, format_args!("port {number} is one of those that only root may have"))
                .hint("choose a higher one, or as root: sysctl -w net.ipv4.ip_unprivileged_port_start=N")
        }
        io::ErrorKind::AddrInUse => Error::new(
            what,
            format_args!("a program of this host listens on {number}/{} already", port.protocol),
        )
        .hint("choose another, or end that program"),
        io::ErrorKind::AddrNotAvailable => {
            Error::new(what, format_args!("{} is no address of this host", port.address))
        }
        _ => Error::os(what, Errno::from_raw(e.raw_os_error().unwrap_or_default())),
    }
}
