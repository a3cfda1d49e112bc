//! The kernel's no, with the reason that errno alone does not tell: unshare(2), setns(2), network_namespaces(7).

use chain::Error;
use chain::text::show;
use nix::errno::Errno;
use nix::unistd::geteuid;
use std::fmt::Display;
use std::fs;
use std::path::Path;

/// A namespace that could not be made.
pub fn create(errno: Errno) -> Error {
    let what = "make a network namespace";
    let error = Error::os(what, errno);
    match errno {
        Errno::EPERM if geteuid().is_root() => {
            error.hint("this root lacks CAP_SYS_ADMIN, as in a container; `unshare-rs -Ur netns ...` gives it in a user namespace")
        }
        Errno::EPERM => error.hint("run it as root, or as root of a user namespace: `unshare-rs -Ur netns ...`"),
        Errno::ENOSPC | Errno::EUSERS => limit(what),
        Errno::ENOMEM => error.hint("each network namespace takes some memory of the kernel: `netns ls | wc -l` counts those with names"),
        _ => error,
    }
}

/// ENOSPC has nothing to do with disks here: namespaces(7), "The /proc/sys/user directory".
fn limit(what: &str) -> Error {
    let limit = fs::read_to_string("/proc/sys/user/max_net_namespaces").unwrap_or_default();
    Error::new(what, format_args!("the limit of {} network namespaces is reached", limit.trim())).hint(
        "as root: sysctl -w user.max_net_namespaces=N, in this user namespace and in those that hold it",
    )
}

/// A change to the directory of names that was refused.
pub fn for_names(e: Error) -> Error {
    match e.errno() {
        Some(Errno::EPERM | Errno::EACCES | Errno::EROFS) => e.hint(
            "run it as root; for names of your own, seen in there only: `unshare-rs -Urm netns new --pasta -- sh`",
        ),
        _ => e,
    }
}

/// A file or directory that no tool of this kind has made.
pub fn in_the_way(what: String, file: &Path) -> Error {
    Error::new(what, format_args!("{} is there, and no network namespace", show(file)))
        .hint("it was not made by netns or ip netns: look at it, and remove it by hand")
}

/// A namespace that could not be entered.
pub fn enter(name: impl Display, errno: Errno) -> Error {
    let error = Error::os(format_args!("enter {name}"), errno);
    match errno {
        Errno::EPERM if geteuid().is_root() => error.hint(
            "the caller lacks CAP_SYS_ADMIN in the user namespace that the network namespace was made in",
        ),
        Errno::EPERM => error.hint("run it as root"),
        Errno::EINVAL => error.hint("it is a namespace of another kind"),
        _ => error,
    }
}
