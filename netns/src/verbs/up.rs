//! `netns up` and `netns down`: interfaces on and off.

use crate::interface::Place;
use crate::netlink::links::{self, Settings};
use crate::output::tell_all;
use crate::site::Site;
use chain::Result;

/// What they take.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The interfaces
    #[arg(required = true, value_name = "NAME[@NETNS]")]
    places: Vec<Place>,
}

/// Sets each up or down, past errors, all of which are told.
pub fn run(options: &Options, up: bool) -> u8 {
    tell_all(options.places.iter().map(|place| set(place, up)))
}

fn set(place: &Place, up: bool) -> Result<()> {
    let what = format!("set {place} {}", if up { "up" } else { "down" });
    let mut site = Site::open(&place.netns)?;
    let link = site.find(&what, &place.interface)?;
    let settings = Settings { up: Some(up), ..Settings::default() };
    site.route.ask(links::set_index(what, link.index, &settings)).map(drop)
}
