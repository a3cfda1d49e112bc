//! Resource limits, umask, and the order in which the kernel kills: getrlimit(2), umask(2), proc_pid_oom_score_adj(5).

use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::ffi::OsStr;

/// A limit to be set; no number is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Of what.
    pub resource: Resource,
    /// Its name.
    pub name: &'static str,
    /// In effect.
    pub soft: Option<u64>,
    /// How far the command may raise it.
    pub hard: Option<u64>,
}

const NAMES: [(&str, Resource); 16] = [
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// Understands `NAME=SOFT[:HARD]`: NAME with or without `RLIMIT_`, numbers with `k`, `M` or `G` for powers of 1024, or
/// `unlimited`. One number is both limits, as for docker.
pub fn parse(text: &OsStr) -> Result<Limit, String> {
    let (name, value) = text.to_str().and_then(|text| text.split_once('=')).ok_or("it has no =")?;
    let lower = name.to_ascii_lowercase();
    let wanted = lower.strip_prefix("rlimit_").unwrap_or(&lower);
    let (name, resource) = NAMES.into_iter().find(|(name, _)| *name == wanted).ok_or_else(unknown)?;
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if soft.unwrap_or(u64::MAX) > hard.unwrap_or(u64::MAX) {
        return Err("SOFT is above HARD".to_owned());
    }
    Ok(Limit { resource, name, soft, hard })
}

fn unknown() -> String {
    format!("NAME is one of {}", NAMES.map(|(name, _)| name).join(", "))
}

fn number(text: &str) -> Result<Option<u64>, String> {
    if ["unlimited", "infinity", "-1"].contains(&text) {
        return Ok(None);
    }
    let (digits, shift) = match text.as_bytes() {
        [.., b'k' | b'K'] => (&text[..text.len() - 1], 10),
        [.., b'm' | b'M'] => (&text[..text.len() - 1], 20),
        [.., b'g' | b'G'] => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number = digits.parse::<u64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|number| number.checked_mul(1 << shift)).filter(|number| *number < u64::MAX);
    number
        .map(Some)
        .ok_or_else(|| "a limit is a number, with k, M or G if need be, or `unlimited`".to_owned())
}

/// Understands an octal number up to 777.
pub fn parse_umask(text: &OsStr) -> Result<Mode, String> {
    let text = text.to_str().filter(|text| (1..=4).contains(&text.len()) && !text.starts_with('+'));
    let mask = text.and_then(|text| u32::from_str_radix(text, 8).ok()).filter(|mask| *mask <= 0o777);
    mask.map(Mode::from).ok_or_else(|| "it is not an octal number up to 777".to_owned())
}

/// Understands a number from -1000 to 1000.
pub fn parse_oom(text: &OsStr) -> Result<i32, String> {
    let score = text.to_str().and_then(|text| text.parse().ok());
    score
        .filter(|score| (-1000..=1000).contains(score))
        .ok_or_else(|| "it is not a number from -1000 to 1000".to_owned())
}

impl Limit {
    /// Raises the hard limit, if it is to be raised: while there still is the right to, and nothing depends on it yet.
    pub fn raise(&self) -> Result<()> {
        let now = getrlimit(self.resource);
        if now.maximum.is_none_or(|now| self.hard.is_some_and(|wanted| wanted <= now)) {
            return Ok(());
        }
        setrlimit(self.resource, Rlimit { current: now.current, maximum: self.hard })
            .cannot_with(|| format!("raise the limit {} above {}", self.name, shown(now.maximum)))
            .map_err(|e| e.hint_if(Errno::EPERM, self.who_may()))
    }

    fn who_may(&self) -> &'static str {
        match self.resource {
            Resource::Nofile => "it takes CAP_SYS_RESOURCE of the host, and ends at /proc/sys/fs/nr_open",
            _ => "it takes CAP_SYS_RESOURCE of the host: raise it where this was started",
        }
    }

    /// Sets both.
    pub fn set(&self) -> Result<()> {
        setrlimit(self.resource, Rlimit { current: self.soft, maximum: self.hard })
            .cannot_with(|| format!("set the limit {}", self.name))
    }

    /// `1024:4096`
    pub fn value(&self) -> String {
        format!("{}:{}", shown(self.soft), shown(self.hard))
    }
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

/// Tells the kernel, by the old root's /proc, as the new one may have none.
pub fn set_oom_score(score: i32) -> Result<()> {
    let what = || format!("set the OOM score adjustment {score}");
    match std::fs::write("/proc/self/oom_score_adj", score.to_string()) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::new(what(), "no /proc is mounted here"))
        }
        written => written.cannot_with(what).map_err(|e| {
            e.hint_if(Errno::EACCES, "to set it below what it is takes CAP_SYS_RESOURCE of the host")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names_units_and_no_end() {
        let limit =
            |text: &str| parse(OsStr::new(text)).ok().map(|limit| (limit.name, limit.soft, limit.hard));
        let rows = [
            ("nofile=1024", ("nofile", Some(1024), Some(1024))),
            ("RLIMIT_NOFILE=1k:2K", ("nofile", Some(1024), Some(2048))),
            ("rlimit_as=1M:unlimited", ("as", Some(1 << 20), None)),
            ("core=unlimited", ("core", None, None)),
            ("core=-1:-1", ("core", None, None)),
            ("stack=0:3G", ("stack", Some(0), Some(3 << 30))),
        ];
        for (text, expected) in rows {
            assert_eq!(limit(text), Some(expected), "{text}");
        }
        let wrong = "|nofile|nofile=|nofile=1:|nofile=:1|nofile=2:1|nofile=unlimited:1|nofile=-2|nofile=+1|nofile=1 \
             |nofile=0x1|nofile=1T|nofile=18446744073709551615|nofile=99999999999999G|files=1|=1|nofile=1:2:3";
        for text in wrong.split('|') {
            assert_eq!(limit(text), None, "{text}");
        }
        let names: Vec<String> = NAMES.iter().map(|(name, _)| format!("{name}=1")).collect();
        assert!(names.iter().all(|text| limit(text).is_some()));
    }

    #[test]
    fn masks_and_scores_have_bounds() {
        let mask = |text: &str| parse_umask(OsStr::new(text)).ok().map(|mask| mask.bits());
        for (text, value) in [("22", 0o22), ("0", 0), ("0777", 0o777), ("777", 0o777)] {
            assert_eq!(mask(text), Some(value), "{text}");
        }
        for wrong in ["", "8", "1000", "-1", "+7", "0x1", "00022", " 22"] {
            assert_eq!(mask(wrong), None, "{wrong}");
        }
        let score = |text: &str| parse_oom(OsStr::new(text)).ok();
        assert_eq!([score("-1000"), score("1000"), score("0")], [Some(-1000), Some(1000), Some(0)]);
        assert_eq!([score("-1001"), score("1001"), score(""), score("x")], [None; 4]);
    }
}
