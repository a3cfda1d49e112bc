//! The kernel's no, with the reason that errno alone does not tell: setns(2), pidfd_open(2), ptrace(2).

use crate::plan::Door;
use crate::target::Target;
use chain::Error;
use chain::ns::{self, Kind};
use chain::process::Status;
use nix::errno::Errno;
use nix::unistd::geteuid;
use rustix::process::Pid;

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

/// A process whose namespaces or directories may not be looked at: ptrace(2), "Ptrace access mode checking".
pub fn look(target: &Target, errno: Errno) -> Error {
    let error = Error::os(format_args!("look at the namespaces of {target}"), errno);
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

/// A child that the joined pid namespace did not get.
pub fn start(errno: Errno) -> Error {
    let error = Error::os("start the command", errno);
    match errno {
        Errno::ENOMEM => Error::new("start the command", "PID 1 of the pid namespace has ended")
            .hint("no process can be started in a pid namespace after that"),
        Errno::EAGAIN => {
            error.hint("a limit on processes was reached: ulimit -u, or pids= of the control group")
        }
        _ => error,
    }
}
