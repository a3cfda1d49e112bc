//! `netns veth`: a pair of interfaces.

use crate::interface::Place;
use crate::namespace::Namespace;
use crate::netlink::links::{self, Link, Settings};
use crate::netlink::{nsids, veths};
use crate::site::Site;
use chain::{Error, Result};
use nix::errno::Errno;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Remove the pair, if it is there
    #[arg(long)]
    rm: bool,
    /// Leave both ends down
    #[arg(long, conflicts_with = "rm")]
    down: bool,
    /// The largest packet, in bytes
    #[arg(long, value_name = "BYTES", conflicts_with = "rm", value_parser = clap::value_parser!(u32).range(68..=65535))]
    mtu: Option<u32>,
    /// One end, without @NETNS in the namespace of netns itself
    #[arg(value_name = "NAME[@NETNS]")]
    near: Place,
    /// The other end
    #[arg(value_name = "NAME[@NETNS]")]
    far: Place,
}

/// Makes or removes the pair.
pub fn run(options: &Options) -> Result<u8> {
    let Options { near, far, .. } = options;
    if near == far {
        return Err(Error::new(format_args!("make the pair {near} and {far}"), "the ends have one name"));
    }
    if options.rm {
        return remove(near, far).map(|()| 0);
    }
    let settings = Settings { up: Some(!options.down), mtu: options.mtu, ..Settings::default() };
    let mut ends = Ends { near: Site::open(&near.netns)?, far: Site::open(&far.netns)? };
    make(&mut ends, near, far, &settings).map(|()| 0)
}

/// Where the ends are.
pub struct Ends {
    /// One.
    pub near: Site,
    /// The other.
    pub far: Site,
}

/// Makes the pair with both ends as `settings` say, or sets an existing one so.
pub fn make(ends: &mut Ends, near: &Place, far: &Place, settings: &Settings) -> Result<()> {
    let what = format!("make the pair {near} and {far}");
    let at_birth = Settings { up: None, ..settings.clone() };
    let pair = veths::pair(&near.interface, settings, &far.interface, &at_birth, Some(&ends.far.namespace));
    let is_new = match ends.near.route.ask(pair) {
        Ok(_) => true,
        Err(e) if e.errno() == Some(Errno::EEXIST) => found(ends, near, far, &what).map(|_| false)?,
        Err(e) => return Err(e),
    };
    set(ends, near, far, settings, &what).inspect_err(|_| {
        if is_new {
            let _ = ends.near.route.ask(links::remove(&near.interface));
        }
    })
}

fn set(ends: &mut Ends, near: &Place, far: &Place, settings: &Settings, what: &str) -> Result<()> {
    ends.near.route.ask(links::set(what, &near.interface, settings))?;
    ends.far.route.ask(links::set(what, &far.interface, settings)).map(drop)
}

/// The number of the near end, when both ends are there and belong together.
fn found(ends: &mut Ends, near: &Place, far: &Place, what: &str) -> Result<Link> {
    let one = links::look(&mut ends.near.route, &near.interface)?;
    let other = links::look(&mut ends.far.route, &far.interface)?;
    let in_the_way = |place: &Place| Error::new(what, format_args!("there is another interface {place}"));
    match (one, other) {
        (Some(one), Some(other)) if are_pair(&one, &other, ends)? => Ok(one),
        (Some(_), _) => Err(in_the_way(near)),
        _ => Err(in_the_way(far)),
    }
}

/// Numbers are those of a namespace: they tell a pair only with the number of the other's namespace.
fn are_pair(one: &Link, other: &Link, ends: &mut Ends) -> Result<bool> {
    if one.kind != "veth" || one.peer != Some(other.index) || other.peer != Some(one.index) {
        return Ok(false);
    }
    Ok(match one.peer_nsid {
        None => same(&ends.near.namespace, &ends.far.namespace),
        id => nsids::find(&mut ends.near.route, &ends.far.namespace)? == id,
    })
}

fn same(one: &Namespace, other: &Namespace) -> bool {
    one.inode() == other.inode()
}

/// Removes the pair; that it is not there is success, that one of the names is another's is not.
pub fn remove(near: &Place, far: &Place) -> Result<()> {
    let what = format!("remove the pair {near} and {far}");
    let (Some(one), Some(other)) = (Site::open_if_there(&near.netns)?, Site::open_if_there(&far.netns)?)
    else {
        return Ok(());
    };
    let mut ends = Ends { near: one, far: other };
    if links::look(&mut ends.near.route, &near.interface)?.is_none() {
        return Ok(());
    }
    found(&mut ends, near, far, &what)?;
    ends.near.route.ask(links::remove(&near.interface)).map(drop)
}
