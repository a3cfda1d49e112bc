//! `netns wait`: until something listens on a port.

use crate::name::Name;
use crate::names::{self, State};
use crate::namespace::{Namespace, Which};
use crate::netlink::sockets::{Protocol, Sockets};
use chain::ns::{self, Kind};
use chain::{Error, Result};
use std::time::{Duration, Instant};

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// A port of UDP, not of TCP
    #[arg(long)]
    udp: bool,
    /// Give up after this long, with status 1; decimals are fine
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// A name, process or file, or . for the one that netns runs in
    netns: Which,
    /// The port
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    let number: f64 = text.parse().map_err(|_| "it is no number of seconds")?;
    Duration::try_from_secs_f64(number).map_err(|_| "it is no length of time")
}

/// How long to sleep at first, and at most: the kernel has no event for a socket that begins to listen.
const STEPS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// Returns when something listens.
pub fn run(options: &Options) -> Result<u8> {
    let namespace = options.netns.open()?;
    let mut sockets = namespace.visit(Sockets::open)?;
    let process = process(&options.netns)?;
    let protocol = if options.udp { Protocol::Udp } else { Protocol::Tcp };
    let end = options.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut step = STEPS.0;
    loop {
        let found = sockets.listeners(&[protocol])?;
        if found.iter().any(|listener| listener.at.port() == options.port) {
            return Ok(0);
        }
        if let Some(pid) = process.filter(|pid| !is_in(*pid, &namespace)) {
            let what = format!("wait for port {} of process {pid}", options.port);
            return Err(Error::new(what, "the process has ended or left the namespace"));
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            return Ok(1);
        }
        std::thread::sleep(left.map_or(step, |left| left.min(step)));
        step = (step * 2).min(STEPS.1);
    }
}

/// The process that was said; a name goes first.
fn process(netns: &Which) -> Result<Option<u32>> {
    match netns {
        Which::Named(name) if names::look(&names::path(name))? == State::Absent => Ok(number(name)),
        _ => Ok(None),
    }
}

fn number(name: &Name) -> Option<u32> {
    name.as_str().parse().ok()
}

fn is_in(pid: u32, namespace: &Namespace) -> bool {
    ns::identity(&pid.to_string(), Kind::Net.row().file)
        .is_ok_and(|(_, inode)| Some(inode) == namespace.inode())
}
