//! `netns attach`: a name for a namespace that is there.

use crate::give;
use crate::name::Name;
use crate::names;
use crate::namespace::Which;
use chain::Result;
use chain::ns::{self, Kind};
use chain::{Cannot, Error};
use nix::errno::Errno;
use std::os::fd::OwnedFd;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// The new name
    name: Name,
    /// A process in the namespace, or a file like /proc/PID/ns/net
    #[arg(value_name = "PID|FILE")]
    target: Which,
}

/// Opens the namespace first: a process that ends meanwhile cannot be taken for another.
pub fn run(options: &Options) -> Result<u8> {
    let namespace = open(&options.target)?;
    let lock = names::prepare()?;
    give::reserve(&options.name, &lock)?;
    give::bind(&options.name, &give::source(&namespace))?;
    Ok(0)
}

fn open(target: &Which) -> Result<OwnedFd> {
    let what = || format!("attach to {target}");
    match target {
        Which::Own => ns::open("self", Kind::Net).cannot_with(what),
        Which::Named(pid) if pid.as_str().bytes().all(|byte| byte.is_ascii_digit()) => {
            ns::open(pid.as_str(), Kind::Net).cannot_with(what).map_err(|e| match e.errno() {
                Some(Errno::ENOENT) => Error::new(what(), "there is no such process"),
                _ => e.hint_if(Errno::EACCES, "the process is another user's: run it as root"),
            })
        }
        Which::Named(_) => Err(Error::new(what(), "it is neither the number of a process nor a file")
            .hint("a second name for a named namespace: attach /run/netns/NAME")),
        Which::File(_) => target.open().map(OwnedFd::from),
    }
}
