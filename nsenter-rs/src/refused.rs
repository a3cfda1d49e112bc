//! The kernel's no, with the reason that errno alone does not tell: setns(2), pidfd_open(2), ptrace(2).

use crate::doors::Door;
use crate::target::Target;
use chain::Error;
use chain::ns::{self, Kind};
use chain::process::Status;
use chain::text::show;
use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::process::Pid;
use std::path::Path;

/// "net namespace", "net and pid namespaces".
pub fn namespaces(kinds: &[Kind]) -> String {
    let s = if kinds.len() == 1 { "" } else { "s" };
    format!("{} namespace{s}", ns::list(kinds))
}

/// A process that no pidfd is to be had of.
pub fn find(pid: Pid, errno: Errno) -> Error {
    let what = format!("find process {pid}");
    let process = Status::read(&pid.to_string()).ok().and_then(|s| s.field("Tgid").map(str::to_owned));
    match (errno, process) {
        (Errno::ESRCH, _) => Error::new(what, "there is none of this number")
            .hint("numbers are those of the caller's own pid namespace, as `ps -e` shows them"),
        (Errno::EINVAL | Errno::ENOENT, Some(process)) => {
            Error::new(what, "it is a thread").hint(format_args!("its process is {process}"))
        }
        _ => Error::os(what, errno),
    }
}

/// A process of which something may not be looked at: ptrace(2), "Ptrace access mode checking".
pub fn look(target: &Target, what: &str, errno: Errno) -> Error {
    let error = Error::os(format_args!("look at {what} of {target}"), errno);
    match errno {
        Errno::EACCES | Errno::EPERM if geteuid().is_root() => {
            error.hint("this root has fewer rights than that process, as in a container")
        }
        Errno::EACCES | Errno::EPERM => {
            error.hint("run it as root: the process is another user's, or has more rights than you")
        }
        Errno::ESRCH => Error::new(format_args!("enter {target}"), "it has ended"),
        _ => error,
    }
}

/// A descriptor that leads to no network namespace.
pub fn socket(whose: &str, errno: Errno) -> Error {
    let what = format!("find the net namespace of {whose}");
    match errno {
        Errno::ENOTTY | Errno::EINVAL => Error::new(what, "it is no socket"),
        Errno::EPERM => {
            Error::os(what, errno).hint("it takes root, or CAP_NET_ADMIN where the namespace belongs")
        }
        _ => Error::os(what, errno),
    }
}

/// A user namespace that is out of sight: ioctl_nsfs(2).
pub fn parent(whose: &str, errno: Errno) -> Error {
    let error = Error::os(format_args!("find the user namespace that owns {whose}"), errno);
    error.hint_if(Errno::EPERM, "it lies outside of your own user namespace, or yours is the first of all")
}

/// A control group that cannot be joined: cgroups(7).
pub fn group(group: &Path, errno: Errno) -> Error {
    let error = Error::os(format_args!("join the group {}", show(group)), errno);
    match errno {
        Errno::EACCES | Errno::EPERM => error.hint(
            "run it as root: it takes the right to write there, and in the group that holds both it and yours",
        ),
        Errno::EBUSY => error.hint("it has groups below it that its controllers are handed on to; only those take processes"),
        Errno::EOPNOTSUPP => error.hint("it is a threaded group, or one that is not ready for processes"),
        Errno::ENOSPC => error.hint("its cpuset.cpus or cpuset.mems is empty"),
        Errno::ENOENT | Errno::ENODEV => error.hint("it has been removed, or lies outside of your cgroup namespace"),
        _ => error,
    }
}

/// A namespace that cannot be joined.
pub fn join(door: &Door, kind: Kind, errno: Errno) -> Error {
    let what = format!("enter the {} namespace of {}", kind.row().name, door.whose);
    let error = Error::os(&what, errno);
    match (errno, kind) {
        (Errno::ESRCH, _) => Error::new(what, "it has ended"),
        (Errno::EPERM, Kind::User) => {
            error.hint("it takes root, or the user who made the namespace, outside of it")
        }
        (Errno::EPERM, _) if geteuid().is_root() => {
            error.hint("the caller lacks CAP_SYS_ADMIN in the user namespace that owns it")
        }
        (Errno::EPERM, _) => {
            error.hint("run it as root, or add -U (or -a) where the process has a user namespace of yours")
        }
        (Errno::EINVAL, Kind::Pid) => {
            error.hint("a pid namespace can be entered from itself or one that holds it, not from inside")
        }
        (Errno::EINVAL, Kind::User) => error.hint("the file is another kind of namespace"),
        (Errno::EINVAL, _) => {
            error.hint("the file is another kind of namespace, or the kernel has none of this kind")
        }
        _ => error,
    }
}

/// A child that the joined pid namespace or the control group did not get.
pub fn start(errno: Errno, joined: Option<&Path>) -> Error {
    let error = Error::os("start the command", errno);
    match (errno, joined) {
        (Errno::ENOMEM, _) => Error::new("start the command", "PID 1 of the pid namespace has ended")
            .hint("no process can be started in a pid namespace after that"),
        (Errno::EAGAIN, _) => {
            error.hint("a limit on processes was reached: ulimit -u, or pids= of the control group")
        }
        (errno, Some(joined)) => group(joined, errno),
        _ => error,
    }
}
