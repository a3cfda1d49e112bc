//! A namespace that is in no network: what connects it are processes beside the waiting netns, which stay in the
//! namespace that it was started in. So no right is needed there, and all of it works in a user namespace.
//!
//! | module | what it holds |
//! |---|---|
//! | [`helper`] | processes that end with this one |
//! | [`pasta`] | the way out, by pasta(1) |

pub mod helper;
pub mod pasta;

use crate::namespace::Namespace;
use crate::proxy::{self, listen, listen::Listener};
use crate::published::{self, Published};
use crate::refused;
use chain::child::{Child, Parent};
use chain::exec::{Environment, exec_with};
use chain::gate::Gate;
use chain::ns::{self, Kind};
use chain::process;
use chain::resolver::RESOLV_CONF;
use chain::sys::net::loopback_up;
use chain::{Cannot, Error, Result};
use helper::Helper;
use pasta::Pasta;
use std::ffi::OsString;
use std::net::IpAddr;

/// What is asked for, checked.
#[derive(Debug)]
pub struct Plan {
    /// The way out.
    pub pasta: Option<Pasta>,
    /// Where the proxy listens, if anywhere.
    pub listeners: Vec<Listener>,
}

impl Plan {
    /// Makes sure that there can be all of it; a proxy leads the ports.
    pub fn new(has_pasta: bool, ports: &[Published], dns: &[IpAddr]) -> Result<Self> {
        published::check(ports.iter())?;
        let pasta = has_pasta.then(|| Pasta::plan(dns)).transpose()?;
        Ok(Plan { pasta, listeners: listen::open(ports)? })
    }
}

/// Runs the command in a new namespace.
pub fn run(plan: Plan, command: &[OsString]) -> Result<u8> {
    let (parent, gate) = (Parent::prepare()?, Gate::new(true)?);
    let environment = environment(&plan);
    let child = parent.start(ns::flags([Kind::Net]), None, || {
        let ready = loopback_up().cannot("set the loopback interface up").and_then(|()| gate.wait());
        ready.map_or_else(|e| e, |()| exec_with(command, &environment))
    });
    let child = child.map_err(refused::create)?;
    match connect(plan, &parent, &child).and_then(|helpers| gate.open().map(|()| helpers)) {
        Ok(helpers) => helper::wait(&parent, child, helpers),
        Err(e) => {
            child.send(nix::sys::signal::Signal::SIGKILL);
            let _ = parent.wait(child);
            Err(e)
        }
    }
}

fn environment(plan: &Plan) -> Environment {
    let mut environment = Environment::current();
    if let Some(pasta) = &plan.pasta {
        match &pasta.resolver {
            Some(text) => environment.set(RESOLV_CONF, text),
            None => environment.remove(RESOLV_CONF),
        }
    }
    environment
}

fn connect(plan: Plan, parent: &Parent, child: &Child) -> Result<Vec<Helper>> {
    let inside = namespace_of(child)?;
    let proxy = proxy::start(parent, &inside, plan.listeners)?;
    let pasta = plan.pasta.map(|pasta| pasta.start(parent, &inside)).transpose()?;
    Ok(proxy.into_iter().chain(pasta).collect())
}

fn namespace_of(child: &Child) -> Result<Namespace> {
    let what = "open the namespace of the command";
    let process = process::in_proc(child.pid).ok_or_else(|| {
        Error::new(what, "/proc does not show it").hint("a proc file system must be mounted on /proc")
    })?;
    let fd = ns::open(&process, Kind::Net).cannot(what)?;
    Ok(Namespace::of("the new namespace".to_owned(), fd))
}
