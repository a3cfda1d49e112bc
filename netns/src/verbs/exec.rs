//! `netns exec`: a command in a named namespace, or in each of them.

use crate::name::Name;
use crate::names;
use crate::namespace::Namespace;
use crate::view;
use chain::child::{Ended, Parent};
use chain::text::{escape, show};
use chain::{Cannot, Error, Result};
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::io::Write;

/// How a command ends that somebody wants to end all: the others are not begun then.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// What it takes.
///
/// The command gets a private mount namespace, with a /sys that shows the network of the
/// namespace, and with the files of /etc/netns/NAME in place of those of /etc.
#[derive(clap::Args, Debug)]
#[command(
    override_usage = "netns exec NAME COMMAND [ARG]...
       netns exec --all -- COMMAND [ARG]...",
    verbatim_doc_comment
)]
pub struct Options {
    /// In each named namespace, one after the other
    #[arg(short, long)]
    all: bool,
    /// The namespace
    #[arg(required_unless_present = "all")]
    name: Option<OsString>,
    /// What to run, and its arguments
    #[arg(required_unless_present = "all", trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Becomes the command; returns only to say why not.
pub fn run(options: &Options) -> Result<u8> {
    let words = || options.name.iter().chain(&options.command).cloned();
    match (&options.name, options.all) {
        (Some(name), false) => {
            let name = read_name(name)?;
            enter(name.as_str(), &Namespace::of(name.to_string(), names::open_namespace(&name)?))?;
            Err(chain::exec::exec(&options.command))
        }
        _ => everywhere(&words().collect::<Vec<_>>()),
    }
}

fn read_name(name: &OsString) -> Result<Name> {
    let text = name.to_str().unwrap_or_default();
    text.parse().map_err(|why| {
        Error::new(format_args!("use {} for <NAME>", show(name)), why)
            .hint("as in `netns exec NAME COMMAND`; `netns ls` lists the names")
    })
}

fn enter(name: &str, namespace: &Namespace) -> Result<()> {
    namespace.enter()?;
    view::refresh(name)
}

/// Runs the command in each namespace, past failures, and gives the status of the first one.
fn everywhere(command: &[OsString]) -> Result<u8> {
    if command.is_empty() {
        return Err(Error::new("start", "no command is given").hint("as in `netns exec --all -- ip addr`"));
    }
    let parent = Parent::prepare()?;
    let mut status = 0;
    for (name, _) in names::live()? {
        let ended = run_in(&parent, &name, command)?;
        if status == 0 {
            status = ended.status();
        }
        if ENDING.iter().any(|signal| ended == Ended::Killed(*signal as i32)) {
            break;
        }
    }
    Ok(status)
}

/// Under a line that tells the name, as `ip -all netns exec` has it.
fn run_in(parent: &Parent, name: &str, command: &[OsString]) -> Result<Ended> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\nnetns: {}", escape(name)).and_then(|()| stdout.flush()).cannot("write the output")?;
    let body = || {
        let namespace = names::open_file(name).map(|fd| Namespace::of(show(name), fd));
        namespace
            .and_then(|namespace| enter(name, &namespace))
            .map_or_else(|e| e, |()| chain::exec::exec(command))
    };
    let child = parent.start(0, None, body).map_err(|errno| Error::os("start a process", errno))?;
    parent.wait_or(child, |_| Ok(None))
}
