//! `netns route`: ways to networks.

use crate::cidr::Cidr;
use crate::interface::Interface;
use crate::namespace::Which;
use crate::netlink::links::{self, Link};
use crate::netlink::routes::{self, Way};
use crate::output::print;
use crate::site::Site;
use crate::words;
use chain::text::show;
use chain::{Error, Result};
use nix::errno::Errno;
use std::net::IpAddr;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(override_usage = "netns route [--json] NETNS
       netns route [--rm] NETNS DESTINATION [via ADDRESS] [dev NAME] [src ADDRESS] [metric N]")]
pub struct Options {
    /// Remove the route, if it is there
    #[arg(long, requires = "to")]
    rm: bool,
    /// One JSON object per line: to, via, interface, from and metric
    #[arg(long, conflicts_with_all = ["rm", "to"])]
    json: bool,
    /// The namespace, . for the one that netns runs in
    netns: Which,
    /// ADDRESS/PREFIX, ADDRESS or `default`; without it the routes are listed
    #[arg(value_name = "DESTINATION")]
    to: Option<String>,
    /// `via ADDRESS` of the router, `dev NAME` of the interface, `src ADDRESS` to use as one's own, `metric N`
    #[arg(value_name = "WORD")]
    words: Vec<String>,
}

/// Lists, adds or removes.
pub fn run(options: &Options) -> Result<u8> {
    match &options.to {
        None => list(options),
        Some(to) => {
            let plan = Plan::of(to, &options.words)?;
            if options.rm { remove(options, &plan) } else { add(options, &plan) }
        }
    }
    .map(|()| 0)
}

/// A route in the words of the line.
struct Plan {
    way: Way,
    interface: Option<Interface>,
}

impl Plan {
    fn of(to: &str, words: &[String]) -> Result<Self> {
        let [via, dev, src, metric] = words::values(words, ["via", "dev", "src", "metric"])?;
        let address = "it is no address of IPv4 or IPv6";
        let via: Option<IpAddr> = parse(via, "via", |_| address)?;
        let from: Option<IpAddr> = parse(src, "src", |_| address)?;
        let metric = parse(metric, "metric", |_| "it is no number from 0 to 4294967295")?;
        let interface = parse(dev, "dev", |e| e)?;
        let is_v4 = via.or(from).is_none_or(|ip| ip.is_ipv4());
        let way = Way { via, from, metric, ..Way::to(destination(to, is_v4)?) };
        if [via, from].iter().flatten().any(|ip| ip.is_ipv4() != way.to.ip.is_ipv4()) {
            return Err(Error::new(format_args!("add the route {way}"), "it mixes IPv4 and IPv6"));
        }
        Ok(Plan { way, interface })
    }
}

fn parse<T: std::str::FromStr>(
    word: Option<&str>,
    key: &str,
    why: impl Fn(T::Err) -> &'static str,
) -> Result<Option<T>> {
    let refuse = |word: &str, e| Error::new(format_args!("use {} for {key}", show(word)), why(e));
    word.map(|word| word.parse().map_err(|e| refuse(word, e))).transpose()
}

fn destination(to: &str, is_v4: bool) -> Result<Cidr> {
    let cidr = match to {
        "default" => return Ok(routes::all(is_v4)),
        _ if to.contains('/') => to.parse(),
        _ => to.parse().map(Cidr::host).map_err(|_| "it is neither an address nor `default`"),
    }
    .map_err(|why| Error::new(format_args!("use {} for DESTINATION", show(to)), why))?;
    match cidr.ip == cidr.network() {
        true => Ok(cidr),
        false => Err(Error::new(format_args!("use {cidr} for DESTINATION"), "it has bits of a host")
            .hint(format_args!("the network is {}/{}", cidr.network(), cidr.prefix))),
    }
}

fn add(options: &Options, plan: &Plan) -> Result<()> {
    let what = format!("add the route {}", plan.way);
    if plan.way.via.is_none() && plan.interface.is_none() {
        return Err(
            Error::new(what, "it needs a router or an interface").hint("add `via ADDRESS` or `dev NAME`")
        );
    }
    let mut site = Site::open(&options.netns)?;
    let index =
        plan.interface.as_ref().map(|name| site.find(&what, name)).transpose()?.map(|link| link.index);
    let way = Way { index, ..plan.way.clone() };
    match site.route.ask(routes::add(&way)) {
        Err(e) if e.errno() == Some(Errno::EEXIST) => match routes::list(&mut site.route)? {
            ways if ways.iter().any(|has| has.is(&way)) => Ok(()),
            _ => Err(Error::new(what, "there is another route to it")
                .hint("remove that first, or give this one a `metric` of its own")),
        },
        other => other.map(drop).map_err(|e| {
            e.hint_if(Errno::ENETUNREACH, "the router must be on a network of an interface that is up")
        }),
    }
}

fn remove(options: &Options, plan: &Plan) -> Result<()> {
    let Some(mut site) = Site::open_if_there(&options.netns)? else { return Ok(()) };
    let index = match &plan.interface {
        None => None,
        Some(name) => match links::look(&mut site.route, name)? {
            // With the interface its routes have gone.
            None => return Ok(()),
            Some(link) => Some(link.index),
        },
    };
    site.route.ask(routes::remove(&Way { index, ..plan.way.clone() })).map(drop)
}

fn list(options: &Options) -> Result<()> {
    let mut site = Site::open(&options.netns)?;
    let (ways, links) = (routes::list(&mut site.route)?, links::list(&mut site.route)?);
    print(ways.iter().map(|way| line(way, &links, options.json)))
}

fn line(way: &Way, links: &[Link], json: bool) -> String {
    let link = links.iter().find(|link| Some(link.index) == way.index);
    let interface = link.map(|link| link.name.as_str());
    if json {
        return serde_json::json!({
            "to": if way.to.prefix == 0 { "default".to_owned() } else { way.to.to_string() },
            "via": way.via,
            "interface": interface,
            "from": way.from,
            "metric": way.metric,
        })
        .to_string();
    }
    let word =
        |key: &str, value: Option<String>| value.map(|value| format!(" {key} {value}")).unwrap_or_default();
    let dev = word("dev", interface.map(chain::text::escape));
    let src = word("src", way.from.map(|ip| ip.to_string()));
    format!("{way}{dev}{src}{}", word("metric", way.metric.map(|metric| metric.to_string())))
}
