//! Published ports that no rule of the kernel leads: a process listens outside and connects inside, and hands on what
//! it gets. It needs no right outside, reaches what listens on the loopback inside, and what it listens on is a port
//! of this host like any other, for firewalls too.
//!
//! | module | what it holds |
//! |---|---|
//! | [`listen`] | the sockets outside |
//! | [`server`], [`watch`] | the loop, and what it waits for |
//! | [`connections`], [`stream`] | those of TCP, and how one of them goes |
//! | [`flows`], [`datagram`] | who has sent what by UDP |
//! | [`target`] | where inside |
//! | [`slab`] | things with numbers |

mod connections;
mod datagram;
mod flows;
pub mod listen;
mod server;
mod slab;
mod stream;
mod target;
mod watch;

use crate::aside::helper::Helper;
use crate::namespace::Namespace;
use chain::child::Parent;
use chain::sys::fd::close_from_3_except;
use chain::text::escape;
use chain::{Cannot, Error, Result};
use listen::Listener;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio::{dup2_stderr, dup2_stdout, stdin, stdout};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities, set_name, set_no_new_privs};
use server::Server;
use std::os::fd::AsRawFd;

const LOSS: &str = "the proxy has ended: the ports that it led are dead";

/// Starts the process that leads what comes to `listeners` into `inside`; none when there is nothing to lead.
pub fn start(parent: &Parent, inside: &Namespace, listeners: Vec<Listener>) -> Result<Option<Helper>> {
    if listeners.is_empty() {
        return Ok(None);
    }
    let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).cannot("open /dev/null")?;
    let started = Helper::start(parent, &null, LOSS, || match prepare(inside, listeners) {
        Ok(server) => server.run(),
        Err(e) => e,
    });
    let said = |text: String| {
        let line = text.lines().next().unwrap_or("it has ended").trim_start_matches("netns: ");
        Error::new("start the proxy of the published ports", escape(line))
    };
    started?.map(Some).map_err(said)
}

/// In the new process, whose standard input is the null device.
fn prepare(inside: &Namespace, listeners: Vec<Listener>) -> Result<Server> {
    set_name(c"netns-proxy").cannot("take a name")?;
    inside.enter()?;
    let keep: Vec<u32> =
        listeners.iter().map(|listener| listener.socket.as_raw_fd().cast_unsigned()).collect();
    close_from_3_except(&keep).map_err(|errno| Error::os("close descriptors", errno))?;
    // What a peer no longer reads is told by an error.
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::from(Signal::SIGPIPE)), None).cannot("block SIGPIPE")?;
    let server = Server::new(listeners, room()?)?;
    give_up_rights()?;
    rustix::io::write(stdout(), b"1").cannot("tell of being ready")?;
    dup2_stdout(stdin()).and_then(|()| dup2_stderr(stdin())).cannot("let go of standard output")?;
    Ok(server)
}

/// How many descriptors there can be: as many as the caller may have.
fn room() -> Result<usize> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .cannot("raise the limit of open files")?;
    Ok(maximum.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)))
}

/// What comes from anywhere is not to be handled by one who may do more than that.
fn give_up_rights() -> Result<()> {
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .cannot("give up capabilities")?;
    set_no_new_privs(true).cannot("give up new rights")
}
