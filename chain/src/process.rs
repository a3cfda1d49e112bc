//! What /proc tells of a process.

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

/// What a process does with a signal: proc_pid_status(5), fields SigBlk, SigIgn and SigCgt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// The signal's default action.
    Default,
    /// Nothing: it is ignored.
    Ignored,
    /// The process takes it itself: by a handler, or blocked and read later (signalfd).
    Taken,
}

/// The number by which this /proc knows a child: another one where /proc was mounted for an outer pid namespace.
/// pidfd_open(2) and the field "Pid" of proc_pid_fdinfo(5).
pub fn in_proc(child: Pid) -> Option<String> {
    let pidfd = pidfd_open(rustix::process::Pid::from_raw(child.as_raw())?, PidfdFlags::empty()).ok()?;
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd())).ok()?;
    let pid = info.lines().find_map(|line| line.strip_prefix("Pid:"))?.trim();
    pid.parse().ok().filter(|pid: &i32| *pid > 0).map(|_| pid.to_owned())
}

/// What a PID 1 does with `signal`, for which the mask of one moment is not enough. The kernel drops what PID 1
/// had blocked in passing, as posix_spawn(3) does, and has no handler for when it is unblocked: blocked is taken
/// only when it stays so. And it takes out of the mask what is being waited for.
pub fn settled(process: &str, signal: Signal) -> Disposition {
    let looks = [0, 1, 3, 6].map(Duration::from_millis).into_iter();
    for pause in looks {
        std::thread::sleep(pause);
        let Ok(status) = Status::read(process) else { return Disposition::Default };
        match status.disposition(signal) {
            Disposition::Taken if !status.has("SigCgt", signal) => {}
            Disposition::Default if waits_for(process, signal) => return Disposition::Taken,
            disposition => return disposition,
        }
    }
    Disposition::Taken
}

/// Whether the process waits for `signal` in sigtimedwait(2) just now, as some inits do. False where we may not
/// look, ptrace(2).
fn waits_for(process: &str, signal: Signal) -> bool {
    let mask = || {
        let call = std::fs::read_to_string(format!("/proc/{process}/syscall")).ok()?;
        let mut words = call.split_whitespace();
        let number: libc::c_long = words.next()?.parse().ok()?;
        let set = u64::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()?;
        let mut bytes = [0; 8];
        File::open(format!("/proc/{process}/mem")).ok()?.read_exact_at(&mut bytes, set).ok()?;
        (number == libc::SYS_rt_sigtimedwait).then_some(u64::from_ne_bytes(bytes))
    };
    mask().is_some_and(|mask| holds(mask, signal))
}

fn holds(mask: u64, signal: Signal) -> bool {
    mask >> (signal as i32 - 1) & 1 == 1
}

/// The text of `/proc/PID/status`, `process` being a pid or `self`.
#[derive(Debug)]
pub struct Status(String);

impl Status {
    /// Reads it once; the fields are of that moment.
    pub fn read(process: &str) -> io::Result<Self> {
        std::fs::read_to_string(format!("/proc/{process}/status")).map(Status)
    }

    /// The same of a text that was read in another way.
    pub fn parse(text: String) -> Self {
        Status(text)
    }

    /// The value of a field, without its name and white space.
    pub fn field(&self, name: &str) -> Option<&str> {
        let line =
            self.0.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))?;
        Some(line[name.len() + 1..].trim())
    }

    /// What the process does with `signal`; `Default` when the kernel does not tell.
    pub fn disposition(&self, signal: Signal) -> Disposition {
        match () {
            () if self.has("SigBlk", signal) || self.has("SigCgt", signal) => Disposition::Taken,
            () if self.has("SigIgn", signal) => Disposition::Ignored,
            () => Disposition::Default,
        }
    }

    fn has(&self, field: &str, signal: Signal) -> bool {
        let mask = self.field(field).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        mask.is_some_and(|mask| holds(mask, signal))
    }

    /// How many pid namespaces deep the process is, seen from the pid namespace of this /proc (1 = in it).
    pub fn pid_depth(&self) -> usize {
        self.field("NSpid").map_or(1, |pids| pids.split_whitespace().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dispositions_come_from_the_masks() {
        let text = "Name:\tx\nNSpid:\t77\t1\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004000\n";
        let status = Status(text.to_owned());
        assert_eq!(status.disposition(Signal::SIGINT), Disposition::Taken);
        assert_eq!(status.disposition(Signal::SIGPIPE), Disposition::Ignored);
        assert_eq!(status.disposition(Signal::SIGTERM), Disposition::Taken);
        assert_eq!(status.disposition(Signal::SIGHUP), Disposition::Default);
        assert_eq!(status.pid_depth(), 2);
        assert_eq!(status.field("Nam"), None);
    }
}
