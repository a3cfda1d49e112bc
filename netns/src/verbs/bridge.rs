//! `netns bridge`: a switch for interfaces.

use crate::interface::{Interface, Place};
use crate::mac::Mac;
use crate::netlink::Request;
use crate::netlink::links::{self, Link, Settings};
use crate::site::Site;
use chain::{Error, Result};
use netlink_packet_route::link::InfoKind;
use nix::errno::Errno;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Take the ports out of the bridge; without ports, remove the bridge
    #[arg(long)]
    rm: bool,
    /// The bridge
    #[arg(value_name = "BRIDGE[@NETNS]")]
    bridge: Place,
    /// Interfaces of the same namespace to put into it
    #[arg(value_name = "PORT")]
    ports: Vec<Interface>,
}

/// Makes the bridge if there is none, and puts the ports in; or the reverse.
pub fn run(options: &Options) -> Result<u8> {
    let Options { bridge, ports, .. } = options;
    match (options.rm, ports.as_slice()) {
        (false, _) => make(bridge, ports),
        (true, []) => remove(bridge),
        (true, _) => take_out(bridge, ports),
    }
    .map(|()| 0)
}

fn make(bridge: &Place, ports: &[Interface]) -> Result<()> {
    let mut site = Site::open(&bridge.netns)?;
    let what = format!("make the bridge {bridge}");
    // With an address of its own from the start it does not change to that of a port.
    let settings = Settings { mac: Some(Mac::random()?), ..Settings::up() };
    let is_new = match site.route.ask(links::add(&bridge.interface, InfoKind::Bridge, &settings)) {
        Ok(_) => true,
        Err(e) if e.errno() == Some(Errno::EEXIST) => false,
        Err(e) => return Err(e),
    };
    put_in(&mut site, &bridge.interface, ports, &what).inspect_err(|_| {
        if is_new {
            let _ = site.route.ask(links::remove(&bridge.interface));
        }
    })
}

fn put_in(site: &mut Site, bridge: &Interface, ports: &[Interface], what: &str) -> Result<()> {
    let index = of_bridge(site, bridge, what)?;
    let before = ports.iter().map(|port| site.find(what, port)).collect::<Result<Vec<_>>>()?;
    refuse_ports_of_others(site, bridge, index, &before)?;
    let put = |port: &Interface| {
        let settings = Settings { master: Some(index), ..Settings::up() };
        links::set(format!("put {port} into {bridge}"), port, &settings)
    };
    let mut requests: Vec<Request> = ports.iter().map(put).collect();
    requests.push(links::set(what, bridge, &Settings::up()));
    site.all_or_nothing(&requests, |done| {
        let settings =
            Settings { master: Some(before.get(done)?.master.unwrap_or(0)), ..Settings::default() };
        Some(links::set_index(what, before.get(done)?.index, &settings))
    })
}

/// A port is taken out of the bridge that it is in by who put it there.
fn refuse_ports_of_others(site: &mut Site, bridge: &Interface, index: u32, ports: &[Link]) -> Result<()> {
    let Some(port) = ports.iter().find(|port| port.master.is_some_and(|other| other != index)) else {
        return Ok(());
    };
    let all = links::list(&mut site.route)?;
    let other = all.iter().find(|link| Some(link.index) == port.master).map_or("another", |link| &link.name);
    let what = format!("put {} into {bridge}", port.name);
    Err(Error::new(what, format_args!("it is a port of {other}"))
        .hint(format_args!("`netns bridge {other} {} --rm` takes it out", port.name)))
}

fn of_bridge(site: &mut Site, bridge: &Interface, what: &str) -> Result<u32> {
    let link = site.find(what, bridge)?;
    match link.kind.as_str() {
        "bridge" => Ok(link.index),
        _ => Err(Error::new(what, format_args!("{bridge} is an interface of another kind"))),
    }
}

fn remove(bridge: &Place) -> Result<()> {
    let Some(mut site) = Site::open_if_there(&bridge.netns)? else { return Ok(()) };
    if links::look(&mut site.route, &bridge.interface)?.is_some() {
        of_bridge(&mut site, &bridge.interface, &format!("remove the bridge {bridge}"))?;
    }
    site.route.ask(links::remove(&bridge.interface)).map(drop)
}

fn take_out(bridge: &Place, ports: &[Interface]) -> Result<()> {
    let Some(mut site) = Site::open_if_there(&bridge.netns)? else { return Ok(()) };
    let what = format!("take ports out of {bridge}");
    let Some(found) = links::look(&mut site.route, &bridge.interface)? else { return Ok(()) };
    let out = Settings { master: Some(0), ..Settings::default() };
    for port in ports {
        match links::look(&mut site.route, port)? {
            Some(link) if link.master == Some(found.index) => {
                site.route.ask(links::set_index(what.as_str(), link.index, &out))?;
            }
            _ => {}
        }
    }
    Ok(())
}
