//! The options: names and letters as in util-linux, so that scripts can switch.

use crate::attached;
use chain::ns::Kind;
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser};
use rustix::process::Pid;
use std::ffi::OsString;
use std::path::PathBuf;

/// The letter of `--target`, the only option whose value may be the next argument.
pub const TARGET: u8 = b't';

/// Join namespaces of a process, or of a file, and run a command in them
///
/// Namespaces that are shared already are left out. Options of the command are left
/// alone: the first word that is no option starts it. Without a command the shell named
/// by SHELL runs, or /bin/sh where that does not exist inside.
#[derive(Args, Debug)]
#[command(
    version,
    override_usage = "nsenter-rs [OPTIONS] [COMMAND [ARG]...]",
    args_override_self = true,
    verbatim_doc_comment
)]
pub struct Options {
    /// The process to enter
    #[arg(short, long, value_name = "PID", value_parser = pid)]
    pub target: Option<Pid>,
    /// All namespaces of the process
    #[arg(short, long)]
    pub all: bool,

    /// Mount namespace, of the process or of FILE
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    mount: Option<Option<PathBuf>>,
    /// UTS namespace (host name)
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    uts: Option<Option<PathBuf>>,
    /// IPC namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    ipc: Option<Option<PathBuf>>,
    /// Network namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    net: Option<Option<PathBuf>>,
    /// Pid namespace; the command is then a child
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pid: Option<Option<PathBuf>>,
    /// User namespace
    #[arg(short = 'U', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    user: Option<Option<PathBuf>>,
    /// Cgroup namespace
    #[arg(short = 'C', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    cgroup: Option<Option<PathBuf>>,
    /// Time namespace
    #[arg(short = 'T', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    time: Option<Option<PathBuf>>,

    /// The root directory of the process, or DIR as it is before entering
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub root: Option<Option<PathBuf>>,
    /// The working directory of the process, or DIR as it is before entering
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub wd: Option<Option<PathBuf>>,

    /// Do not fork for --pid: only children of the command enter the namespace
    #[arg(short = 'F', long)]
    pub no_fork: bool,
    /// Keep user, group and supplementary groups when a user namespace is entered
    #[arg(long)]
    pub preserve_credentials: bool,

    /// What to run, and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Options {
    /// How a namespace was asked for: not at all, of the target, or of a file.
    pub fn namespace(&self, kind: Kind) -> Option<Option<&PathBuf>> {
        let asked = match kind {
            Kind::User => &self.user,
            Kind::Mount => &self.mount,
            Kind::Uts => &self.uts,
            Kind::Ipc => &self.ipc,
            Kind::Net => &self.net,
            Kind::Pid => &self.pid,
            Kind::Cgroup => &self.cgroup,
            Kind::Time => &self.time,
        };
        asked.as_ref().map(Option::as_ref)
    }
}

impl CommandFactory for Options {
    fn command() -> Command {
        Self::augment_args(Command::new("nsenter-rs"))
    }

    fn command_for_update() -> Command {
        Self::augment_args_for_update(Command::new("nsenter-rs"))
    }
}

impl Parser for Options {
    fn try_parse() -> Result<Self, clap::Error> {
        Self::try_parse_from(std::env::args_os())
    }

    fn try_parse_from<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let args = attached::separate(args.into_iter().map(Into::into));
        Self::from_arg_matches_mut(&mut Self::command().try_get_matches_from(args)?)
    }
}

fn pid(text: &str) -> Result<Pid, &'static str> {
    let number: Option<i32> = text.parse().ok().filter(|number| *number > 0);
    number.and_then(Pid::from_raw).ok_or("a process id is a number from 1 on")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chain::ns::NAMESPACES;
    use std::path::Path;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("nsenter-rs").chain(line.split_whitespace()))
    }

    #[test]
    fn every_kind_has_its_letter_and_its_name() {
        for row in &NAMESPACES {
            for line in [format!("-t 1 -{}/f x", row.letter), format!("-t 1 --{}=/f x", row.name)] {
                let options = parse(&line).unwrap();
                for other in &NAMESPACES {
                    let file = (other.kind == row.kind).then_some(Path::new("/f"));
                    assert_eq!(options.namespace(other.kind).flatten().map(PathBuf::as_path), file, "{line}");
                }
            }
        }
    }

    #[test]
    fn bundles_stop_at_the_command() {
        let options = parse("-at5 -mr/x sh -n -w").unwrap();
        assert!(options.all && options.namespace(Kind::Net).is_none() && options.wd.is_none());
        assert_eq!(options.namespace(Kind::Mount), Some(None));
        assert_eq!(options.root, Some(Some("/x".into())));
        assert_eq!(options.target.map(Pid::as_raw_nonzero).map(i32::from), Some(5));
        assert_eq!(options.command, ["sh", "-n", "-w"]);
    }

    #[test]
    fn a_repeated_option_counts_once_and_its_last_value_stays() {
        let options = parse("-mm -n/a -n/b true a b").unwrap();
        assert_eq!(options.namespace(Kind::Net), Some(Some(&"/b".into())));
        assert_eq!(options.command, ["true", "a", "b"]);
    }

    #[test]
    fn pids_are_checked() {
        for line in ["-t0", "-t-1", "-t 99999999999", "-tx", "-t 1x", "-t", "-t ''"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
