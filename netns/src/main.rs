//! Network namespaces: named ones, shared with `ip netns`, transient ones for the rest of the line, and what
//! connects them.
//!
//! [`cli`] reads the verb, and each verb has a file of its own in [`verbs`], with its options. [`names`] is the
//! directory of names that all tools share, [`create`] makes a namespace, [`give`] gives it its name, [`namespace`] opens and visits one,
//! [`site`] is one with a connection to it, [`survey`] finds them all, [`doctor`] looks for faults, [`netlink`] asks and changes the kernel's networking. [`name`], [`interface`], [`cidr`] and [`mac`] are what is
//! said on the command line, [`view`] is what a command sees of /sys and /etc in a namespace, [`refused`] explains
//! the kernel's no, [`output`] is how reports are written. [`network`] makes networks, [`attach`] puts a namespace
//! into one with [`published`] ports and [`rate`]s, and [`nft`] speaks to nftables.
#![cfg_attr(not(test), no_main)]

mod attach;
mod capture;
mod cidr;
mod cli;
mod create;
mod doctor;
mod give;
mod interface;
mod mac;
mod name;
mod names;
mod namespace;
#[allow(dead_code)]
mod netlink;
mod network;
mod nft;
mod output;
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
