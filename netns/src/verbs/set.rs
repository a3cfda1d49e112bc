//! `netns set`: a number for a named namespace.

use crate::name::Name;
use crate::names;
use crate::netlink::{Route, nsids};
use chain::{Error, Result};
use nix::errno::Errno;
use std::str::FromStr;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The namespace
    name: Name,
    /// The number, or `auto` for the next free one
    #[arg(value_name = "NUMBER|auto")]
    number: Number,
}

/// A number from 0 on, or none in particular.
#[derive(Debug, Clone, Copy)]
pub struct Number(Option<i32>);

impl FromStr for Number {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Number(None)),
            _ => match text.parse() {
                Ok(number) if number >= 0 => Ok(Number(Some(number))),
                _ => Err("it is neither a number from 0 to 2147483647 nor auto"),
            },
        }
    }
}

/// Has the namespace that netns runs in know the named one by this number. To have it already is success.
pub fn run(options: &Options) -> Result<u8> {
    let Number(wanted) = options.number;
    let namespace = names::open_namespace(&options.name)?;
    let mut route = Route::open()?;
    let what = || {
        format!("give {} the number {}", options.name, wanted.map_or("auto".to_owned(), |n| n.to_string()))
    };
    let Err(e) = route.ask(nsids::set(what(), &namespace, wanted)) else { return Ok(0) };
    if e.errno() != Some(Errno::EEXIST) && e.errno() != Some(Errno::ENOSPC) {
        return Err(e);
    }
    match nsids::find(&mut route, &namespace)? {
        Some(has) if wanted.is_none_or(|wanted| wanted == has) => Ok(0),
        Some(has) => Err(Error::new(what(), format_args!("it has the number {has}"))
            .hint("a number is given once, and kept as long as the namespace")),
        None => Err(Error::new(what(), "another namespace has it").hint("`netns list-id` lists the numbers")),
    }
}
