//! Resource limits of the target: getrlimit(2), proc_pid_limits(5).

use crate::target::Target;
use chain::{Cannot, Error, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the kernel calls them in that file: `lnames` in fs/proc/base.c.
const NAMES: [(&str, Resource); 16] = [
    ("Max cpu time", Resource::Cpu),
    ("Max file size", Resource::Fsize),
    ("Max data size", Resource::Data),
    ("Max stack size", Resource::Stack),
    ("Max core file size", Resource::Core),
    ("Max resident set", Resource::Rss),
    ("Max processes", Resource::Nproc),
    ("Max open files", Resource::Nofile),
    ("Max locked memory", Resource::Memlock),
    ("Max address space", Resource::As),
    ("Max file locks", Resource::Locks),
    ("Max pending signals", Resource::Sigpending),
    ("Max msgqueue size", Resource::Msgqueue),
    ("Max nice priority", Resource::Nice),
    ("Max realtime priority", Resource::Rtprio),
    ("Max realtime timeout", Resource::Rttime),
];

/// Those of a process.
#[derive(Debug, Default)]
pub struct Limits(Vec<(Resource, Rlimit)>);

impl Limits {
    /// Reads them, of whatever the kernel has limits for.
    pub fn of(target: &Target) -> Result<Self> {
        Limits::parse(&String::from_utf8_lossy(&target.read("limits")?))
    }

    /// Raises hard limits as far as this process may, while it still has its rights on the host.
    pub fn raise(&self) {
        for (resource, wanted) in &self.0 {
            let now = getrlimit(*resource);
            if is_above(wanted.maximum, now.maximum) {
                let _ = setrlimit(*resource, Rlimit { current: now.current, maximum: wanted.maximum });
            }
        }
    }

    /// Sets them, none above the hard limit that this process has by now. Last, as little can be done with some of them.
    pub fn set(&self) -> Result<()> {
        for (resource, wanted) in &self.0 {
            let most = getrlimit(*resource).maximum;
            let within = |limit: Option<u64>| if is_above(limit, most) { most } else { limit };
            let limit = Rlimit { current: within(wanted.current), maximum: within(wanted.maximum) };
            setrlimit(*resource, limit).cannot("take over the resource limits of the process")?;
        }
        Ok(())
    }

    fn parse(text: &str) -> Result<Self> {
        let of = |(name, resource): &(&str, Resource)| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            Some(parse_line(line).map(|limit| (*resource, limit)))
        };
        let limits = NAMES.iter().filter_map(of).collect::<Option<_>>();
        limits.map(Limits).ok_or_else(|| {
            Error::new("read the resource limits of the process", "/proc tells them in an unknown form")
        })
    }
}

fn is_above(limit: Option<u64>, other: Option<u64>) -> bool {
    limit.unwrap_or(u64::MAX) > other.unwrap_or(u64::MAX)
}

fn parse_line(line: &str) -> Option<Rlimit> {
    let mut words = line.split_whitespace().map(|word| match word {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    });
    Some(Rlimit { current: words.next()??, maximum: words.next()?? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_limits_of_this_process_are_read() {
        let text = std::fs::read_to_string("/proc/self/limits").unwrap();
        let limits = Limits::parse(&text).unwrap().0;
        assert_eq!(limits.len(), text.lines().count() - 1, "{text}");
        for (resource, limit) in limits {
            assert_eq!(limit, getrlimit(resource), "{resource:?}");
        }
    }

    #[test]
    fn what_cannot_be_understood_is_an_error() {
        let line = "Max open files            1024                 many                 files";
        assert!(Limits::parse(line).is_err());
        assert!(Limits::parse("Max fun  1 2 units").is_ok_and(|limits| limits.0.is_empty()));
    }
}
