//! Network namespaces: named ones, shared with `ip netns`, transient ones for the rest of the line, and what
//! connects them.
//!
//! [`cli`] reads the verb, and each verb has a file of its own in [`verbs`], with its options. [`names`] is the
//! directory of names that all tools share, [`create`] makes a namespace, [`namespace`] opens and visits one,
//! [`netlink`] asks and changes the kernel's networking. [`name`], [`interface`], [`cidr`] and [`mac`] are what is
//! said on the command line, [`view`] is what a command sees of /sys and /etc in a namespace, [`refused`] explains
//! the kernel's no, [`output`] is how reports are written.
#![cfg_attr(not(test), no_main)]

mod attach;
#[allow(dead_code)]
mod cidr;
mod cli;
mod create;
#[allow(dead_code)]
mod interface;
#[allow(dead_code)]
mod mac;
mod name;
mod names;
#[allow(dead_code)]
mod namespace;
#[allow(dead_code)]
mod netlink;
mod network;
mod nft;
mod output;
mod published;
mod rate;
mod refused;
mod verbs;
mod view;

use chain::Result;
use cli::Options;

chain::main!("netns", run);

fn run(options: Options) -> Result<u8> {
    options.verb.run()
}
