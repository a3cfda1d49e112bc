//! The mark of a mount namespace that nobody else can share yet, handed from one link to the next.

use crate::ns::{self, Kind};
use rustix::process::{Pid, getpid, getppid};
use std::fs::File;
use std::io::Read;

/// The variable: `MNT:PID:N`, the inode numbers of a mount and a pid namespace that one clone has made together,
/// and the pid that the next program has in it.
pub const VARIABLE: &str = "CHAIN_NS";

/// The value for the next program, which will be process `pid` there: 1, or 2 behind an init of ours.
pub fn mark(pid: i32) -> Option<String> {
    let inode = |kind: Kind| ns::identity("self", kind.row().file).map(|(_, inode)| inode).ok();
    Some(format!("{}:{}:{pid}", inode(Kind::Mount)?, inode(Kind::Pid)?))
}

/// Whether the namespaces are those that the link before named.
pub fn is_as_told() -> bool {
    let told = std::env::var_os(VARIABLE);
    told.is_some() && told == mark(getpid().as_raw_pid()).map(Into::into)
}

/// Whether nobody else shares this mount namespace: it was made together with this pid namespace, and nothing was
/// ever started there that could have kept it, but for an init of ours. The variable alone proves nothing, as
/// programs pass it on.
pub fn is_alone() -> bool {
    let pid = getpid();
    let is_first = pid.is_init() || pid.as_raw_pid() == 2 && getppid() == Some(Pid::INIT);
    is_first && is_as_told() && last_pid() == Some(pid.as_raw_pid())
}

/// The newest pid of this pid namespace: the last field of proc_loadavg(5), which counts in the reader's own.
fn last_pid() -> Option<i32> {
    let mut text = [0; 128];
    let length = File::open("/proc/loadavg").ok()?.read(&mut text).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.split_whitespace().next_back()?.parse().ok()
}
