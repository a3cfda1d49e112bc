//! The kernel's no, with the reason that errno alone does not tell: unshare(2), clone(2), namespaces(7).

use crate::plan::Plan;
use chain::Error;
use chain::ns::{self, Kind};
use nix::errno::Errno;
use nix::unistd::geteuid;
use std::fs;
use std::path::Path;

/// The error for namespaces that could not be made.
pub fn explain(plan: &Plan, errno: Errno) -> Error {
    let what = match &plan.kinds[..] {
        [] => "start the command".to_owned(),
        [one] => format!("create a new {} namespace", one.row().name),
        many => format!("create new {} namespaces", ns::list(many)),
    };
    let error = Error::os(&what, errno);
    match errno {
        Errno::EPERM if plan.kinds.contains(&Kind::User) => error.hint(user_denied()),
        Errno::EPERM if geteuid().is_root() => error
            .hint("this root lacks CAP_SYS_ADMIN, as in a container; add -Ur to get it in a user namespace"),
        Errno::EPERM => error.hint("run it as root, or add -Ur: in a user namespace you may make the others"),
        Errno::ENOSPC | Errno::EUSERS => limit(plan, what),
        Errno::EINVAL => unknown_kind(plan).map_or(error, |kind| {
            Error::new(what, format_args!("this kernel has no {} namespaces", kind.row().name))
        }),
        Errno::ENOMEM | Errno::EAGAIN => {
            error.hint("a limit on processes was reached: ulimit -u, or pids= of the control group")
        }
        _ => error,
    }
}

fn user_denied() -> &'static str {
    match number("/proc/sys/kernel/unprivileged_userns_clone") {
        Some(0) if !geteuid().is_root() => {
            "user namespaces are switched off for users; as root: sysctl -w kernel.unprivileged_userns_clone=1"
        }
        _ => {
            "the kernel makes no user namespace inside a chroot or for an id without a map; a seccomp filter or security module may forbid it too"
        }
    }
}

/// ENOSPC has nothing to do with disks here: a count in /proc/sys/user, or the depth of 32.
fn limit(plan: &Plan, what: String) -> Error {
    let sysctl = |kind: &Kind| format!("user.max_{}_namespaces", kind.row().file);
    let file = |kind: &Kind| format!("/proc/sys/user/max_{}_namespaces", kind.row().file);
    match plan.kinds.iter().find(|kind| number(&file(kind)) == Some(0)) {
        Some(kind) => Error::new(what, format_args!("the limit {} is 0", sysctl(kind)))
            .hint(format_args!("as root: sysctl -w {}=10000", sysctl(kind))),
        None => Error::new(what, "a limit on namespaces was reached").hint(
            "either user.max_*_namespaces of this or an outer user namespace, or 32 user or pid namespaces inside each other",
        ),
    }
}

fn unknown_kind(plan: &Plan) -> Option<Kind> {
    let missing = plan.kinds.iter().copied().find(|kind| !kind.is_known());
    missing.filter(|_| Path::new("/proc/self/ns").exists())
}

fn number(file: &str) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
