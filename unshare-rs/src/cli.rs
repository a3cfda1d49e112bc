//! The options: names and letters as in util-linux, so that scripts can switch.

use crate::mapping::Mapping;
use chain::ns::Kind;
use chain::text::show;
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::path::PathBuf;

/// Create namespaces, then run a command in them
///
/// Options of the command are left alone: the first word that is no option starts it. Without a command the
/// shell of SHELL, or of the user, runs as a login shell. With =FILE the namespace is kept, bound on FILE, when
/// the command has ended. Long options may be shortened.
#[derive(clap::Parser, Debug)]
#[command(
    version,
    override_usage = "unshare-rs [OPTIONS] [COMMAND [ARG]...]",
    max_term_width = 100,
    infer_long_args = true,
    args_override_self = true
)]
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
    /// New namespaces of every kind that the kernel has
    #[arg(short, long)]
    pub all: bool,

    /// Run the command as a child and wait for it
    #[arg(short, long)]
    pub fork: bool,
    /// Do not fork for --pid: only children of the command enter the namespace
    #[arg(long, conflicts_with_all = ["fork", "init", "kill_child", "forward_signals"])]
    pub no_fork: bool,
    /// Put a small init before the command, which then is PID 2; implies --pid
    #[arg(long)]
    pub init: bool,
    /// The signal that the command gets when this link dies (default KILL); implies --fork
    #[arg(long, value_name = "SIGNAL", num_args = 0..=1, require_equals = true, value_parser = signal)]
    pub kill_child: Option<Option<Signal>>,
    /// Hand signals on, which is always done; implies --fork
    #[arg(long)]
    pub forward_signals: bool,
    /// Write the command's pid to FILE; removed when the command ends under --fork
    #[arg(long, value_name = "FILE")]
    pub pid_file: Option<PathBuf>,

    #[command(flatten)]
    pub mapping: Mapping,

    /// Set the host name inside; implies --uts
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<OsString>,
    /// How mounts go in and out of the new mount namespace
    #[arg(long, value_name = "MODE", default_value = "private")]
    pub propagation: Propagation,
    /// Change the root directory to DIR, by chroot
    #[arg(short = 'R', long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Change the working directory to DIR, inside of --root
    #[arg(short = 'w', long = "wd", value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Mount a new proc file system on DIR (default /proc), inside of --root; implies --mount
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub mount_proc: Option<Option<PathBuf>>,
    /// Mount binfmt_misc on DIR (default /proc/sys/fs/binfmt_misc, with --mount-proc); implies --mount and --user
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub mount_binfmt: Option<Option<PathBuf>>,
    /// Register an interpreter, as binfmt_misc writes it; implies --mount-binfmt
    #[arg(short, long, value_name = "STRING")]
    pub load_interp: Option<OsString>,

    /// Seconds that the monotonic clock is ahead inside; needs --time
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub monotonic: Option<i64>,
    /// Seconds that the boot time clock is ahead inside; needs --time
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub boottime: Option<i64>,

    /// Set the user id inside, just before the command
    #[arg(short = 'S', long, value_name = "UID")]
    pub setuid: Option<u32>,
    /// Set the group id inside, and drop the other groups
    #[arg(short = 'G', long, value_name = "GID")]
    pub setgid: Option<u32>,
    /// Keep the capabilities of a new user namespace over the start of a command that is not root
    #[arg(long)]
    pub keep_caps: bool,
    /// Give the command an empty environment
    #[arg(long)]
    pub clear_env: bool,
    /// Give the command these variables only
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub whitelist_env: Option<Vec<OsString>>,

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

/// A signal by number, or by name with or without `SIG`.
fn signal(text: &str) -> Result<Signal, String> {
    let upper = text.to_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let by_number = text.parse().ok().and_then(|number: i32| Signal::try_from(number).ok());
    by_number.or_else(|| name.parse().ok()).ok_or_else(|| format!("{} is no signal", show(text)))
}
