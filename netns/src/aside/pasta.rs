//! A way out without rights outside: pasta(1), which translates between a tap device inside and sockets outside.
//!
//! It is given the namespace as its standard input and the pipe that it tells its readiness by as its standard
//! output, because newer versions close all other descriptors, and may not look into a process with more capabilities
//! than they keep.

use super::helper::Helper;
use crate::attach::resolver;
use crate::namespace::Namespace;
use crate::published::{Protocol, Published};
use chain::child::Parent;
use chain::exec::{Environment, exec_as, find};
use chain::text::escape;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create, open};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::geteuid;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

const TUN: &str = "/dev/net/tun";
/// What pasta does in any case: nothing but what is asked for. By default it leads all ports in and out that it finds
/// something listening on, and what is sent to the router to the loopback of this host.
const ALWAYS: [&str; 15] = [
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
    "--tcp-ns=none",
    "--udp-ns=none",
    "--no-dhcp",
];
/// For a name server that only this host reaches. No host has an address of this network but on its own link.
const FORWARD: &str = "169.254.1.1";
const LOSS: &str = "pasta has ended: the command has no way out any more";
/// How much of what it says is kept.
const LOG: usize = 16 << 10;
/// It takes 20 ms or so.
const PATIENCE: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };
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
    /// Makes sure that it can run, and that the ports are free.
    pub fn plan(ports: &[Published], dns: &[IpAddr]) -> Result<Self> {
        let program = find(OsStr::new("pasta"), std::env::var_os("PATH").as_deref()).ok_or_else(missing)?;
        check_tun()?;
        let (resolver, forward) = resolver(dns);
        let mut arguments: Vec<OsString> = ["pasta"].into_iter().chain(ALWAYS).map(OsString::from).collect();
        if geteuid().is_root() {
            // It would become `nobody`, who may not enter the namespace.
            arguments.push("--runas=0:0".into());
        }
        if let Some(address) = forward {
            arguments.push(format!("--dns-forward={address}").into());
        }
        for (option, protocol) in [("--tcp-ports", Protocol::Tcp), ("--udp-ports", Protocol::Udp)] {
            let mut specs: Vec<String> =
                ports.iter().filter(|port| port.protocol == protocol).map(|port| spec(*port)).collect();
            if specs.is_empty() {
                specs.push("none".to_owned());
            }
            arguments.extend(specs.iter().map(|spec| format!("{option}={spec}").into()));
        }
        Ok(Pasta { program, arguments, resolver })
    }

    /// Starts it, and returns when the namespace has its addresses and routes.
    pub fn start(&self, parent: &Parent, inside: &Namespace) -> Result<Helper> {
        let (ready, tell) = pipe_with(PipeFlags::CLOEXEC).cannot("make a pipe")?;
        let log = log().cannot("make a file in memory")?;
        let helper = Helper::start(parent, LOSS, || {
            let handed = rustix::stdio::dup2_stdin(inside)
                .and_then(|()| rustix::stdio::dup2_stdout(&tell))
                .and_then(|()| rustix::stdio::dup2_stderr(&log));
            handed.cannot("hand descriptors on").map_or_else(
                |e| e,
                |()| exec_as(self.program.as_os_str(), &self.arguments, &Environment::current()),
            )
        })?;
        drop(tell);
        let mut end = [PollFd::new(&ready, PollFlags::IN)];
        if poll(&mut end, Some(&PATIENCE)).cannot("wait for pasta")? == 0 {
            return Err(Error::new(WHAT, "pasta has not done it within 10 seconds"));
        }
        match rustix::io::read(&ready, &mut [0; 16]).cannot("wait for pasta")? {
            0 => Err(refused(&File::from(log))),
            _ => Ok(helper),
        }
    }
}

/// A file in memory that cannot grow, as nobody reads it later.
fn log() -> rustix::io::Result<OwnedFd> {
    let file = memfd_create("pasta", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, LOG as u64)?;
    fcntl_add_seals(&file, SealFlags::GROW)?;
    Ok(file)
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

/// `ADDR/HOST[-END]:CONT[-END]`
fn spec(port: Published) -> String {
    let range = |first: u16| match port.count {
        1 => first.to_string(),
        count => format!("{first}-{}", first + (count - 1)),
    };
    format!("{}/{}:{}", port.address, range(port.host), range(port.inside))
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
fn refused(log: &File) -> Error {
    let mut text = vec![0; LOG];
    let _ = log.read_at(&mut text, 0);
    let text = String::from_utf8_lossy(&text).replace('\0', "");
    let line = text.lines().rfind(|line| !line.is_empty() && !line.starts_with("Failed to send"));
    let error = Error::new(WHAT, format_args!("pasta says: {}", escape(line.unwrap_or("nothing"))));
    match () {
        () if text.contains("unrecognized option") => {
            error.hint("this pasta is too old: those of 2023 and later will do")
        }
        () if text.contains("routable interface") => {
            error.hint("this host has no way out itself: `ip route` shows no default route")
        }
        () => error,
    }
}
