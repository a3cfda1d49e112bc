//! What /proc tells of a process.

use nix::sys::signal::Signal;
use std::io;

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

/// The text of `/proc/PID/status`, `process` being a pid or `self`.
#[derive(Debug)]
pub struct Status(String);

impl Status {
    /// Reads it once; the fields are of that moment.
    pub fn read(process: &str) -> io::Result<Self> {
        std::fs::read_to_string(format!("/proc/{process}/status")).map(Status)
    }

    /// The value of a field, without its name and white space.
    pub fn field(&self, name: &str) -> Option<&str> {
        let line =
            self.0.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(':')))?;
        Some(line[name.len() + 1..].trim())
    }

    /// What the process does with `signal`; `Default` when the kernel does not tell.
    pub fn disposition(&self, signal: Signal) -> Disposition {
        let has = |field| {
            let mask = self.field(field).and_then(|hex| u64::from_str_radix(hex, 16).ok());
            mask.unwrap_or(0) >> (signal as i32 - 1) & 1 == 1
        };
        match () {
            () if has("SigBlk") || has("SigCgt") => Disposition::Taken,
            () if has("SigIgn") => Disposition::Ignored,
            () => Disposition::Default,
        }
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
