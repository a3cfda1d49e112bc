//! `netns add`: namespaces with names.

use crate::create;
use crate::give;
use crate::lock::Lock;
use crate::name::Name;
use crate::names;
use crate::output::tell_all;
use chain::Result;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The new names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<Name>,
}

/// Makes each, past errors, all of which are told.
pub fn run(options: &Options) -> Result<u8> {
    let lock = names::prepare()?;
    Ok(tell_all(options.names.iter().map(|name| make(name, &lock))))
}

fn make(name: &Name, lock: &Lock) -> Result<()> {
    give::reserve(name, lock)?;
    create::enter_new()?;
    give::bind(name, "/proc/self/ns/net")
}
