//! The verbs.

use crate::verbs::{add, attach, del, exec, gc, identify, list_id, ls, monitor, net, new, pids, set};
use crate::verbs::{addr, bridge, link, route, up, veth};
use crate::verbs::{doctor, map, pcap, wait, whoami};
use chain::Result;

/// Name network namespaces, connect them, and run commands in them
///
/// Names are shared with `ip netns`.
#[derive(clap::Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub struct Options {
    /// What to do
    #[command(subcommand)]
    pub verb: Verb,
}

/// What there is to do: each verb with its own options.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    /// Make network namespaces with names, their loopback interfaces up
    Add(add::Options),
    /// Give a name to the network namespace of a process
    Attach(attach::Options),
    /// Remove names; a namespace is gone when no process is left in it
    #[command(alias = "delete")]
    Del(del::Options),
    /// List the names
    #[command(aliases = ["list", "lst", "show"])]
    Ls(ls::Options),
    /// List the processes in a named network namespace
    Pids(pids::Options),
    /// Print the names of the network namespace of a process; status 1 when it has none
    Identify(identify::Options),
    /// Give a named network namespace a number
    Set(set::Options),
    /// List the numbers of network namespaces
    ListId(list_id::Options),
    /// Tell names as they come and go
    Monitor(monitor::Options),
    /// Become a command in a named network namespace
    Exec(exec::Options),
    /// Make a pair of interfaces, each in a namespace of its own
    Veth(veth::Options),
    /// Join two namespaces directly
    Link(link::Options),
    /// Make a bridge, and put interfaces into it
    Bridge(bridge::Options),
    /// Give an interface addresses, or list them
    Addr(addr::Options),
    /// Add a route, or list the routes
    Route(route::Options),
    /// Set interfaces up
    Up(up::Options),
    /// Set interfaces down
    Down(up::Options),
    /// Show all network namespaces, of every maker, and what connects them
    Map(map::Options),
    /// Say what is wrong with a network, and what puts it right; status 1 when something is
    Doctor(doctor::Options),
    /// Show one network namespace as the others see it
    Whoami(whoami::Options),
    /// Wait until something listens on a port in a namespace
    Wait(wait::Options),
    /// Write the packets of a namespace to a file, or to a program that reads such files
    Pcap(pcap::Options),
    /// Become a command in a new network namespace, which goes when its last process does
    New(new::Options),
    /// Networks that namespaces can be in
    Net(net::Options),
    /// Remove what commands have left that were killed
    Gc(gc::Options),
}

impl Verb {
    /// Does it, and gives the exit status.
    pub fn run(self) -> Result<u8> {
        match self {
            Verb::Add(options) => add::run(&options),
            Verb::Attach(options) => attach::run(&options),
            Verb::Del(options) => del::run(&options),
            Verb::Ls(options) => ls::run(&options),
            Verb::Pids(options) => pids::run(&options),
            Verb::Identify(options) => identify::run(&options),
            Verb::Set(options) => set::run(&options),
            Verb::ListId(options) => list_id::run(&options),
            Verb::Monitor(options) => monitor::run(&options),
            Verb::Exec(options) => exec::run(&options),
            Verb::Veth(options) => veth::run(&options),
            Verb::Link(options) => link::run(&options),
            Verb::Bridge(options) => bridge::run(&options),
            Verb::Addr(options) => addr::run(&options),
            Verb::Route(options) => route::run(&options),
            Verb::Up(options) => Ok(up::run(&options, true)),
            Verb::Down(options) => Ok(up::run(&options, false)),
            Verb::Map(options) => map::run(&options),
            Verb::Doctor(options) => doctor::run(&options),
            Verb::Whoami(options) => whoami::run(&options),
            Verb::Wait(options) => wait::run(&options),
            Verb::Pcap(options) => pcap::run(&options),
            Verb::New(options) => new::run(&options),
            Verb::Gc(options) => gc::run(&options),
            Verb::Net(options) => net::run(&options),
        }
    }
}
