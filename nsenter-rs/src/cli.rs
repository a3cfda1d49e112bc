//! The options: names and letters as in util-linux, so that scripts can switch.

use crate::attached;
use crate::toolbox::Request;
use chain::ns::{Kind, NAMESPACES};
use chain::user::{self, Who as Account};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Command, CommandFactory, FromArgMatches, Parser};
use rustix::process::Pid;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;

/// Join namespaces of a process, or of a file, and run a command in them
///
/// Namespaces that are shared already are left out. Options of the command are left
/// alone: the first word that is no option starts it. Without a command a login shell
/// runs: that of SHELL, or of the user, where it exists inside, else /bin/sh. Long
/// options may be shortened.
#[derive(Args, Debug)]
#[command(
    version,
    override_usage = "nsenter-rs [OPTIONS] [COMMAND [ARG]...]",
    infer_long_args = true,
    args_override_self = true,
    verbatim_doc_comment
)]
pub struct Options {
    /// The process to enter; INODE, of its pidfd, tells it from a later one of that number
    #[arg(short, long, value_name = "PID[:INODE]")]
    pub target: Option<Process>,
    /// The oldest process of a control group, instead of --target
    #[arg(long, value_name = "PATH", conflicts_with = "target")]
    pub group: Option<PathBuf>,
    /// The process of the container that `box` calls NAME, instead of --target
    #[arg(long = "box", value_name = "NAME", conflicts_with_all = ["target", "group"])]
    pub container: Option<OsString>,
    /// All namespaces of the process
    #[arg(short, long)]
    pub all: bool,
    /// Be like the process: -a -r -w -e -c, its ids, groups, rights, resource limits
    #[arg(long, conflicts_with_all = ["keep_caps", "preserve_credentials"])]
    pub like_target: bool,
    /// Show the namespaces of the process and which would be joined, and join none
    #[arg(long)]
    pub list: bool,
    /// Show them as JSON, one object on each line
    #[arg(long, requires = "list")]
    pub json: bool,

    /// Mount namespace, of the process, of FILE, or with the id in :ID
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    mount: Option<Option<Named>>,
    /// UTS namespace (host name)
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    uts: Option<Option<Named>>,
    /// IPC namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    ipc: Option<Option<Named>>,
    /// Network namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    net: Option<Option<Named>>,
    /// Network namespace of the socket that is the process's descriptor FD
    #[arg(short = 'N', long, value_name = "FD", value_parser = clap::value_parser!(i32).range(0..))]
    pub net_socket: Option<i32>,
    /// Pid namespace; the command is then a child
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    pid: Option<Option<Named>>,
    /// User namespace
    #[arg(short = 'U', long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    user: Option<Option<Named>>,
    /// User namespace that owns the chosen one; with --user the parent of that instead
    #[arg(long)]
    pub user_parent: bool,
    /// Cgroup namespace
    #[arg(short = 'C', long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    cgroup: Option<Option<Named>>,
    /// Time namespace
    #[arg(short = 'T', long, value_name = "FILE", num_args = 0..=1, require_equals = true, value_parser = named())]
    time: Option<Option<Named>>,

    /// The root directory of the process, or DIR as it is before entering
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub root: Option<Option<PathBuf>>,
    /// The working directory of the process, or DIR as it is before entering
    #[arg(short, long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub wd: Option<Option<PathBuf>>,
    /// The working directory DIR, as it is inside
    #[arg(short = 'W', long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with = "wd")]
    pub wdns: Option<Option<PathBuf>>,
    /// The environment of the process
    #[arg(short, long)]
    pub env: bool,
    /// The control groups of the process
    #[arg(short = 'c', long)]
    pub join_cgroup: bool,
    /// The SELinux context of the process
    #[arg(short = 'Z', long)]
    pub follow_context: bool,

    /// The user id inside, or `follow` for that of the process
    #[arg(short = 'S', long, value_name = "UID")]
    pub setuid: Option<Id>,
    /// The group id inside, without other groups, or `follow` for that of the process
    #[arg(short = 'G', long, value_name = "GID")]
    pub setgid: Option<Id>,
    /// A user of the root inside, with its groups and its HOME
    #[arg(long = "as", value_name = "USER[:GROUP]", value_parser = account(),
        conflicts_with_all = ["setuid", "setgid", "preserve_credentials", "keep_caps"])]
    pub account: Option<Account>,
    /// Keep user, group and supplementary groups when a user namespace is entered
    #[arg(long)]
    pub preserve_credentials: bool,
    /// Keep the capabilities of the user namespace though the command is not root
    #[arg(long)]
    pub keep_caps: bool,

    /// Set a variable; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable())]
    pub set_env: Vec<(OsString, OsString)>,
    /// Let no signal be ignored by the command from the start
    #[arg(long)]
    pub default_signals: bool,
    /// Hold the command to the filter of system calls in FILE, one of pivot --seccomp-save
    #[arg(long, value_name = "FILE")]
    pub seccomp: Option<PathBuf>,

    /// Bring SRC, or a static busybox, along in a private copy of the mounts, at DST or /.toolbox
    #[arg(long, value_name = "SRC[:DST]", num_args = 0..=1, require_equals = true, value_parser = toolbox())]
    pub toolbox: Option<Option<Request>>,
    /// Run the command on a terminal of its own: what runs inside cannot type into the caller's
    #[arg(long)]
    pub pty: bool,

    /// Do not fork for --pid: only children of the command enter the namespace
    #[arg(short = 'F', long)]
    pub no_fork: bool,

    /// Put an init before the command, then a child, that reaps what it leaves behind
    #[arg(long, conflicts_with = "no_fork")]
    pub init: bool,

    /// What to run, and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// A process, and what tells it from a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: Pid,
    /// The inode of its pidfd.
    pub inode: Option<u64>,
}

/// A namespace that is not found by way of the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// `/proc/PID/ns/...`, or what that is bound on.
    File(PathBuf),
    /// The 64-bit id that the kernel gave it.
    Id(u64),
}

/// A user or group id to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// This one.
    Number(u32),
    /// That of the target.
    Follow,
}

impl Options {
    /// How a namespace was asked for: not at all, of the target, or otherwise.
    pub fn namespace(&self, kind: Kind) -> Option<Option<&Named>> {
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

    /// Whether all namespaces of the target are meant.
    pub fn takes_all(&self) -> bool {
        let chosen = || NAMESPACES.iter().any(|row| self.namespace(row.kind).is_some());
        self.all || self.like_target || self.toolbox.is_some() && !chosen()
    }

    /// Whether a process was named in any of the three ways.
    pub fn has_target(&self) -> bool {
        self.target.is_some() || self.group.is_some() || self.container.is_some()
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
        let mut command = Self::command();
        let args = attached::separate(&command, args.into_iter().map(Into::into));
        Self::from_arg_matches_mut(&mut command.try_get_matches_from_mut(args)?)
    }
}

impl FromStr for Process {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (pid, inode) = text.split_once(':').map_or((text, None), |(pid, inode)| (pid, Some(inode)));
        let pid = pid.parse().ok().filter(|number: &i32| *number > 0).and_then(Pid::from_raw);
        let inode =
            inode.map(|inode| inode.parse().map_err(|_| "the inode of a pidfd is a number")).transpose()?;
        pid.map(|pid| Process { pid, inode }).ok_or("a process id is a number from 1 on")
    }
}

fn account() -> impl TypedValueParser<Value = Account> {
    OsStringValueParser::new().try_map(|text| user::parse(&text))
}

fn variable() -> impl TypedValueParser<Value = (OsString, OsString)> {
    OsStringValueParser::new().try_map(|text| {
        let bytes = text.as_bytes();
        let sign = bytes.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
        let string = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
        sign.map(|at| (string(&bytes[..at]), string(&bytes[at + 1..]))).ok_or("it is no NAME=VALUE")
    })
}

fn toolbox() -> impl TypedValueParser<Value = Request> {
    OsStringValueParser::new().try_map(|text| Request::parse(&text))
}

fn named() -> impl TypedValueParser<Value = Named> {
    OsStringValueParser::new().try_map(|text| match text.as_bytes() {
        [b':', ..] => {
            let id = text.to_str().and_then(|text| text[1..].parse().ok());
            id.map(Named::Id).ok_or("the id of a namespace is a number; a file of that name is ./:NAME")
        }
        _ => Ok(Named::File(text.into())),
    })
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            _ if text == "follow" => Ok(Id::Follow),
            Ok(id) if id != u32::MAX => Ok(Id::Number(id)),
            _ => Err("it is a number from 0 to 4294967294, or `follow`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("nsenter-rs").chain(line.split_whitespace()))
    }

    #[test]
    fn every_kind_has_its_letter_and_its_name() {
        for row in &NAMESPACES {
            for line in [format!("-t 1 -{}/f x", row.letter), format!("-t 1 --{}=/f x", row.name)] {
                let options = parse(&line).unwrap();
                for other in &NAMESPACES {
                    let file = (other.kind == row.kind).then_some(Named::File("/f".into()));
                    assert_eq!(options.namespace(other.kind).flatten(), file.as_ref(), "{line}");
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
        assert_eq!(options.target.map(|target| target.pid), Pid::from_raw(5));
        assert_eq!(options.command, ["sh", "-n", "-w"]);
    }

    #[test]
    fn of_a_repeated_option_the_last_stays() {
        let options = parse("-mm -n/a -n/b -t 5 -t 6 -S 1 -Sfollow -ee true a b").unwrap();
        assert_eq!(options.namespace(Kind::Net), Some(Some(&Named::File("/b".into()))));
        assert_eq!(options.target.map(|target| target.pid), Pid::from_raw(6));
        assert_eq!(options.setuid, Some(Id::Follow));
        assert_eq!(options.command, ["true", "a", "b"]);
    }

    #[test]
    fn long_options_may_be_shortened() {
        let options =
            parse("--targ 5:77 --mou --setu 3 --setg=4 --pres --no-f --join --follow --ut sh").unwrap();
        assert_eq!(options.target.unwrap().inode, Some(77));
        assert_eq!((options.setuid, options.setgid), (Some(Id::Number(3)), Some(Id::Number(4))));
        assert!(
            options.preserve_credentials && options.no_fork && options.join_cgroup && options.follow_context
        );
        assert_eq!(options.command, ["sh"]);
    }

    #[test]
    fn namespaces_have_ids_or_files() {
        let net = |line: &str| parse(line).unwrap().namespace(Kind::Net).flatten().cloned();
        assert_eq!(net("-n:17 x"), Some(Named::Id(17)));
        assert_eq!(net("--net=:17 x"), Some(Named::Id(17)));
        assert_eq!(net("-n./:17 x"), Some(Named::File("./:17".into())));
        assert!(parse("-n:x x").is_err() && parse("-n: x").is_err() && parse("-n:-1 x").is_err());
    }

    #[test]
    fn processes_and_ids_are_checked() {
        for line in
            ["-t0", "-t-1", "-t 99999999999", "-tx", "-t 1x", "-t", "-t ''", "-t 1:", "-t 1:x", "-t :1"]
        {
            assert!(parse(line).is_err(), "{line}");
        }
        for line in ["-Sroot", "-S-1", "-S4294967295", "-Gx", "-N-1", "-Nx"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
