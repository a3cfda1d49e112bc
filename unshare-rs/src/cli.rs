//! The options: names and letters as in util-linux, so that scripts can switch.

use chain::idmap::Request;
use chain::ns::Kind;
use std::ffi::OsString;
use std::path::PathBuf;

/// Create namespaces, then run a command in them
///
/// Options of the command are left alone: the first word that is no option starts it. Without a command the
/// shell named by SHELL runs, or /bin/sh. With =FILE the namespace is kept, bound on FILE, when the command has
/// ended.
#[derive(clap::Parser, Debug)]
#[command(version, override_usage = "unshare-rs [OPTIONS] [COMMAND [ARG]...]", max_term_width = 100)]
pub struct Options {
    /// New mount namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    mount: Option<Option<PathBuf>>,
    /// New UTS namespace (host name)
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    uts: Option<Option<PathBuf>>,
    /// New IPC namespace
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    ipc: Option<Option<PathBuf>>,
    /// New network namespace, with its loopback interface up
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    net: Option<Option<PathBuf>>,
    /// New pid namespace, the command being its PID 1; implies --fork
    #[arg(short, long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pid: Option<Option<PathBuf>>,
    /// New user namespace
    #[arg(short = 'U', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    user: Option<Option<PathBuf>>,
    /// New cgroup namespace
    #[arg(short = 'C', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    cgroup: Option<Option<PathBuf>>,
    /// New time namespace
    #[arg(short = 'T', long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    time: Option<Option<PathBuf>>,

    /// Run the command as a child and wait for it
    #[arg(short, long)]
    pub fork: bool,
    /// Do not fork for --pid: only children of the command enter the namespace
    #[arg(long, conflicts_with = "fork")]
    pub no_fork: bool,

    /// Map the caller to root inside; implies --user
    #[arg(short = 'r', long, overrides_with = "map_current_user")]
    pub map_root_user: bool,
    /// Map the caller to the same id inside; implies --user
    #[arg(short = 'c', long, overrides_with = "map_root_user")]
    pub map_current_user: bool,
    /// Map user ids: INNER:OUTER:COUNT, auto, subids or all; may be repeated; implies --user
    #[arg(long, value_name = "MAP")]
    pub map_users: Vec<Request>,
    /// Map group ids, likewise
    #[arg(long, value_name = "MAP")]
    pub map_groups: Vec<Request>,

    /// Set the host name inside; implies --uts
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<OsString>,
    /// Mount a new proc file system on DIR (default /proc); implies --mount
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub mount_proc: Option<Option<PathBuf>>,
    /// How mounts go in and out of the new mount namespace
    #[arg(long, value_name = "MODE", default_value = "private")]
    pub propagation: Propagation,

    /// What to run, and its arguments
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// mount_namespaces(7), "Shared subtrees".
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// Neither in nor out
    Private,
    /// Both ways
    Shared,
    /// In only
    Slave,
    /// As it was
    Unchanged,
}

impl Options {
    /// The namespaces asked for by their own options, with the file each is to be kept on.
    pub fn namespaces(&self) -> impl Iterator<Item = (Kind, Option<&PathBuf>)> {
        [
            (Kind::User, &self.user),
            (Kind::Mount, &self.mount),
            (Kind::Uts, &self.uts),
            (Kind::Ipc, &self.ipc),
            (Kind::Net, &self.net),
            (Kind::Pid, &self.pid),
            (Kind::Cgroup, &self.cgroup),
            (Kind::Time, &self.time),
        ]
        .into_iter()
        .filter_map(|(kind, asked)| asked.as_ref().map(|file| (kind, file.as_ref())))
    }
}
