//! Network namespaces: named ones, shared with `ip netns`, transient ones for the rest of the line, and what
//! connects them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`], [`verbs`] | the verbs, each with its options in a file of its own |
//! | [`name`], [`interface`], [`cidr`], [`mac`], [`words`] | what is said on the command line |
//! | [`names`], [`create`], [`give`] | the directory of names that all tools share; a new namespace; its name |
//! | [`own_run`], [`lock`] | where that directory is when the host's cannot be written to; one process at a time |
//! | [`namespace`], [`site`], [`view`] | one opened and visited; with a connection to it; what a command sees in it |
//! | [`network`], [`attach`], [`published`], [`rate`] | networks, and what a host of one gets |
//! | [`firewall`] | what others drop of it |
//! | [`aside`] | what gets a way out by a process beside it, without rights outside |
//! | [`proxy`] | published ports that a process leads |
//! | [`survey`], [`doctor`], [`capture`] | what is there, what is wrong with it, what goes through it |
//! | [`netlink`], [`nft`] | the kernel's networking and its rules, asked and changed |
//! | [`refused`], [`output`] | the kernel's no explained; how reports are written |
#![cfg_attr(not(test), no_main)]

mod aside;
mod attach;
mod capture;
mod cidr;
mod cli;
mod create;
mod doctor;
mod firewall;
mod give;
mod interface;
mod lock;
mod mac;
mod name;
mod names;
mod namespace;
mod netlink;
mod network;
mod nft;
mod output;
mod own_run;
mod proxy;
mod published;
mod rate;
mod refused;
mod site;
mod survey;
mod verbs;
mod view;
mod words;

use chain::Result;
use cli::Options;

chain::main!("netns", run);

fn run(options: Options) -> Result<u8> {
    options.verb.run()
}
