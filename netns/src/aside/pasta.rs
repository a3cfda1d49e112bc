//! A way out without rights outside: pasta(1), which translates between a tap device inside and sockets outside.
//!
//! It is given the namespace as its standard input and the pipe that it tells its readiness by as its standard
//! output, because newer versions close all other descriptors, and may not look into a process with more capabilities
//! than they keep.

use super::helper::Helper;
use crate::attach::resolver;
use crate::namespace::Namespace;
use chain::child::Parent;
use chain::exec::{Environment, exec_as, find};
use chain::text::escape;
use chain::{Error, Result};
use nix::errno::Errno;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::path::PathBuf;

const TUN: &str = "/dev/net/tun";
/// A way out and nothing else. By default pasta leads in and out all ports that it finds something listening on, and
/// what is sent to the router to the loopback of this host. Published ports are the proxy's: to lead ports is what
/// pasta does differently from version to version, that of Debian 12 not at all for some.
const ALWAYS: [&str; 17] = [
    "--foreground",
    "--quiet",
    "--config-net",
    "--netns-only",
    "--no-netns-quit",
    "--no-map-gw",
    "--netns",
    "/proc/self/fd/0",
    "--pid",
    "/proc/self/fd/1",
    "--ns-ifname",
    "eth0",
    "--tcp-ports=none",
    "--udp-ports=none",
    "--tcp-ns=none",
    "--udp-ns=none",
    "--no-dhcp",
];
/// For a name server that only this host reaches. No host has an address of this network but on its own link.
const FORWARD: &str = "169.254.1.1";
const LOSS: &str = "pasta has ended: the command has no way out any more";
const WHAT: &str = "give the namespace a way out";

/// What pasta is to do.
#[derive(Debug)]
pub struct Pasta {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// The text of /etc/resolv.conf; none where this host has no server.
    pub resolver: Option<String>,
}

impl Pasta {
    /// Makes sure that it can run.
    pub fn plan(dns: &[IpAddr]) -> Result<Self> {
        let program = find(OsStr::new("pasta"), std::env::var_os("PATH").as_deref()).ok_or_else(missing)?;
        check_tun()?;
        let (resolver, forward) = resolver(dns);
        let mut arguments: Vec<OsString> = ["pasta"].into_iter().chain(ALWAYS).map(OsString::from).collect();
        if geteuid().is_root() {
            // It would become `nobody`, who may not enter the namespace.
            arguments.push("--runas=0:0".into());
        }
        arguments.extend(forward.map(|address| format!("--dns-forward={address}").into()));
        Ok(Pasta { program, arguments, resolver })
    }

    /// Starts it, and returns when the namespace has its addresses and routes.
    pub fn start(&self, parent: &Parent, inside: &Namespace) -> Result<Helper> {
        let become_it = || exec_as(self.program.as_os_str(), &self.arguments, &Environment::current());
        Helper::start(parent, inside, LOSS, become_it)?.map_err(|text| refused(&text))
    }
}

fn missing() -> Error {
    Error::new(WHAT, "pasta is not installed").hint("it is of the package passt: `apt-get install passt`")
}

fn check_tun() -> Result<()> {
    let e = match open(TUN, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(_) => return Ok(()),
        Err(errno) => Errno::from_raw(errno.raw_os_error()),
    };
    let why = format!("pasta needs {TUN}: {}", e.desc());
    Err(match e {
        Errno::EACCES | Errno::EPERM => {
            Error::os_because(WHAT, e, why).hint("as root: `chmod 666 /dev/net/tun`")
        }
        _ => Error::os_because(WHAT, e, why)
            .hint("as root: `modprobe tun`; in a container, have its engine give it that device"),
    })
}

/// The text of /etc/resolv.conf, and the address in it that pasta has to lead to the server of this host.
fn resolver(dns: &[IpAddr]) -> (Option<String>, Option<&'static str>) {
    match resolver::text(dns) {
        Some(text) => (Some(text), None),
        None if resolver::is_loopback_asked() => (Some(format!("nameserver {FORWARD}\n")), Some(FORWARD)),
        None => (None, None),
    }
}

/// What it said when it gave up.
fn refused(text: &str) -> Error {
    let line = text.lines().rfind(|line| !line.is_empty() && !line.starts_with("Failed to send"));
    let error = Error::new(WHAT, format_args!("pasta says: {}", escape(line.unwrap_or("nothing"))));
    let hints = [
        ("unrecognized option", "this pasta is too old: those of 2023 and later will do"),
        ("routable interface", "this host has no way out itself: `ip route` shows no default route"),
    ];
    match hints.iter().find(|(sign, _)| text.contains(sign)) {
        Some((_, hint)) => error.hint(hint),
        None => error,
    }
}
