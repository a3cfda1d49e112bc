//! `netns new`: a command in a namespace that lasts as long as its processes, or a namespace in a network.

use crate::aside::{self, helper};
use crate::attach::plan::{Plan, number_of};
use crate::attach::{self, Attachment};
use crate::create;
use crate::give;
use crate::mac::Mac;
use crate::name::Name;
use crate::names;
use crate::namespace::Namespace;
use crate::netlink::Route;
use crate::network::guard::Confinement;
use crate::network::{NetName, Network};
use crate::proxy::{self, listen};
use crate::published::Published;
use crate::rate::Rate;
use chain::child::Parent;
use chain::exec::{Environment, exec_with};
use chain::resolver::{HOSTS, RESOLV_CONF};
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsString;
use std::net::IpAddr;

/// What it takes.
#[derive(clap::Args, Debug)]
#[command(override_usage = "netns new -- COMMAND [ARG]...
       netns new [--pasta [--dns ADDRESS]...] [-p PORT]... -- COMMAND [ARG]...
       netns new [NAME] --net NET [OPTION]... -- COMMAND [ARG]...
       netns new NAME --net NET [OPTION]...")]
pub struct Options {
    /// What the others of the network call it; without a command, also a name as of `add`
    #[arg(value_name = "NAME")]
    name: Option<OsString>,
    /// Put it into this network
    #[arg(long, value_name = "NET", group = "out")]
    net: Option<NetName>,
    /// Give it the way out of this host, by pasta(1), for which no right is needed
    #[arg(long, group = "out", conflicts_with_all = ["ip", "mac", "mtu", "down", "up", "internal", "no_icc", "open_firewall"])]
    pasta: bool,
    /// Its address; without it, one that its name stands for, or a free one
    #[arg(long, value_name = "ADDRESS", requires = "net")]
    ip: Option<IpAddr>,
    /// Lead a port of this host, of 127.0.0.1 if no address is given, to one of it; repeatable
    #[arg(short, long = "publish", value_name = "[ADDR:]PORT:PORT[/udp][,proxy]")]
    publish: Vec<Published>,
    /// Its Ethernet address
    #[arg(long, value_name = "ADDRESS", requires = "net")]
    mac: Option<Mac>,
    /// Its largest packet, in bytes, up to that of the network
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1280..=65535), requires = "net")]
    mtu: Option<u32>,
    /// Let it get no more than this, in bits in a second
    #[arg(long, value_name = "RATE", requires = "net")]
    down: Option<Rate>,
    /// Let it send no more than this, in bits in a second
    #[arg(long, value_name = "RATE", requires = "net")]
    up: Option<Rate>,
    /// A server that resolves names, instead of those of this host; repeatable
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<IpAddr>,
    /// No way out, and none in but from this host and the network
    #[arg(long, requires = "net")]
    internal: bool,
    /// It and the others of the network do not reach each other
    #[arg(long, requires = "net")]
    no_icc: bool,
    /// Have the firewalls of others let the network through
    #[arg(long, requires = "net")]
    open_firewall: bool,
    /// What to run, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command, or waits for it where something is to be undone.
pub fn run(options: &Options) -> Result<u8> {
    match (&options.net, &options.name, options.command.as_slice()) {
        (None, name, command) => without_network(options, name.as_ref(), command),
        (Some(_), None, []) => Err(Error::new("start", "neither a name nor a command is given")
            .hint("as in `netns new --net NET -- sh`")),
        (Some(net), name, command) => {
            let name = name.as_ref().map(read_name).transpose()?;
            let mut route = Route::open()?;
            let plan = plan(options, &mut route, net, name)?;
            match command {
                [] if !plan.proxied.is_empty() => Err(nobody_waits(&plan.proxied[0])),
                [] => named(&mut route, &plan).map(|()| 0),
                command => transient(&mut route, &plan, command),
            }
        }
    }
}

fn without_network(options: &Options, name: Option<&OsString>, command: &[OsString]) -> Result<u8> {
    match (name, command) {
        (Some(word), []) => Err(Error::new(format_args!("take {}", show(word)), "the command goes after --")
            .hint(format_args!("as in `netns new -- {}`", show(word)))),
        (Some(name), _) => {
            let why = "only the host of a network is called something";
            Err(Error::new(format_args!("use the name {}", show(name)), why)
                .hint("as in `netns new NAME --net NET -- sh`"))
        }
        (None, []) => Err(Error::new("start", "no command is given").hint("as in `netns new -- sh`")),
        (None, _) if !options.dns.is_empty() && !options.pasta => {
            Err(Error::new("use --dns", "without --net or --pasta no server is reached"))
        }
        (None, command) if options.pasta || !options.publish.is_empty() => {
            aside::run(aside::Plan::new(options.pasta, &options.publish, &options.dns)?, command)
        }
        (None, command) => {
            create::enter_new()?;
            Err(chain::exec::exec(command))
        }
    }
}

fn nobody_waits(port: &Published) -> Error {
    let what = format_args!("publish {port}");
    Error::new(what, "a process leads it, which ends with the command, and there is none")
        .hint("give a command, as in `netns new --net NET -p ... -- sh`, or leave the port to the rules of the kernel: on 127.0.0.1, without ,proxy")
}

fn read_name(name: &OsString) -> Result<Name> {
    let text = name.to_str().unwrap_or_default();
    text.parse().map_err(|why| Error::new(format_args!("use {} for [NAME]", show(name)), why))
}

fn plan(options: &Options, route: &mut Route, net: &NetName, name: Option<Name>) -> Result<Plan> {
    let network = Network::find(route, net)?;
    let (proxied, ports) = options.publish.iter().partition(|port| port.is_proxied);
    let plan = Plan {
        number: options.ip.map(|ip| number_of(&network, ip)).transpose()?,
        network,
        name,
        mac: options.mac,
        mtu: options.mtu,
        down: options.down,
        up: options.up,
        ports,
        proxied,
        dns: options.dns.clone(),
        confinement: Confinement { is_internal: options.internal, is_isolated: options.no_icc },
        opens_firewall: options.open_firewall,
    };
    plan.check().map(|()| plan)
}

/// Runs the command in a new namespace, and takes back what does not go with it.
fn transient(route: &mut Route, plan: &Plan, command: &[OsString]) -> Result<u8> {
    let listeners = listen::open(&plan.proxied)?;
    let parent = Parent::prepare()?;
    let (inside, mut inner) = make(create::enter)?;
    let mut attachment = attach::attach(route, plan, &inside, &mut inner)?;
    let environment = environment(&attachment);
    let enter = || inside.enter().map_or_else(|e| e, |()| exec_with(command, &environment));
    let status = proxy::start(&parent, &inside, listeners).and_then(|proxy| {
        let child = parent.start_at_once(0, None, enter);
        let child = child.map_err(|errno| Error::os("start a process", errno))?;
        helper::wait(&parent, child, proxy.into_iter().collect())
    });
    if let Err(e) = attachment.undo() {
        e.report();
    }
    attachment.leave();
    status
}

/// Makes a namespace, and opens it and a connection to it; this process stays where it is.
fn make(enter: impl FnOnce() -> Result<()>) -> Result<(Namespace, Route)> {
    let home = Namespace::own()?;
    enter()?;
    let made = Namespace::new_own().and_then(|inside| Ok((inside, Route::open()?)));
    home.enter()?;
    made
}

fn environment(attachment: &Attachment) -> Environment {
    let mut environment = Environment::current();
    environment.set(HOSTS, &attachment.hosts);
    match &attachment.resolver {
        Some(file) => environment.set(RESOLV_CONF, file),
        None => environment.remove(RESOLV_CONF),
    }
    environment
}

/// Makes a namespace with a name, which stays. It gets the name last of all: until then it goes with this process.
fn named(route: &mut Route, plan: &Plan) -> Result<()> {
    let Some(name) = &plan.name else { return Ok(()) };
    give::reserve(name, &names::prepare()?)?;
    let (inside, mut inner) = make(create::enter)?;
    let mut attachment = attach::attach(route, plan, &inside, &mut inner)?;
    let given = names::prepare().and_then(|_lock| give::bind(name, &give::source(&inside)));
    given.inspect_err(|_| {
        if let Err(also) = attachment.undo() {
            also.report();
        }
    })
}
