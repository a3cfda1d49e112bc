//! Ids and capabilities of the target: proc_pid_status(5), in the numbers of the user namespace of the reader.

use crate::target::Target;
use chain::{Error, Result, process};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// The text, read once.
#[derive(Debug)]
pub struct Status(process::Status);

impl Status {
    /// Reads that of a process.
    pub fn of(target: &Target) -> Result<Self> {
        Ok(Status::parse(String::from_utf8_lossy(&target.read("status")?).into_owned()))
    }

    /// The effective user id.
    pub fn user(&self) -> Result<u32> {
        self.number("Uid", 1)
    }

    /// The effective group id.
    pub fn group(&self) -> Result<u32> {
        self.number("Gid", 1)
    }

    /// The supplementary groups.
    pub fn groups(&self) -> Result<Vec<u32>> {
        let ids = self.field("Groups")?.split_whitespace().map(|id| id.parse().ok());
        ids.collect::<Option<_>>().ok_or_else(|| unreadable("Groups"))
    }

    /// What the next program can get at most.
    pub fn bounding(&self) -> Result<CapabilitySet> {
        self.set("CapBnd")
    }

    /// What counts now, what may become effective, and what a program with file capabilities gets.
    pub fn sets(&self) -> Result<CapabilitySets> {
        Ok(CapabilitySets {
            effective: self.set("CapEff")?,
            permitted: self.set("CapPrm")?,
            inheritable: self.set("CapInh")?,
        })
    }

    /// What the next program gets, whatever it is.
    pub fn ambient(&self) -> Result<CapabilitySet> {
        self.set("CapAmb")
    }

    /// Whether no program can bring rights by its set-user-ID bit or its file capabilities.
    pub fn has_no_new_privs(&self) -> bool {
        self.field("NoNewPrivs").is_ok_and(|value| value == "1")
    }

    fn parse(text: String) -> Self {
        Status(process::Status::parse(text))
    }

    fn field(&self, name: &str) -> Result<&str> {
        self.0.field(name).ok_or_else(|| unreadable(name))
    }

    fn number(&self, name: &str, at: usize) -> Result<u32> {
        let number = self.field(name)?.split_whitespace().nth(at).and_then(|number| number.parse().ok());
        number.ok_or_else(|| unreadable(name))
    }

    fn set(&self, name: &str) -> Result<CapabilitySet> {
        let bits = u64::from_str_radix(self.field(name)?, 16).map_err(|_| unreadable(name))?;
        Ok(CapabilitySet::from_bits_retain(bits))
    }
}

fn unreadable(field: &str) -> Error {
    Error::new("read the status of the process", format_args!("/proc does not tell its {field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_proc() {
        let status = Status::parse(
            "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapBnd:\t0000000000000003\nNoNewPrivs:\t1\n"
                .to_owned(),
        );
        assert_eq!((status.user(), status.group()), (Ok(2), Ok(6)));
        assert_eq!(status.groups(), Ok(vec![9, 10]));
        assert_eq!(status.bounding().map(|set| set.bits()), Ok(3));
        assert!(status.has_no_new_privs());
        assert!(status.sets().is_err());
        assert_eq!(Status::parse("Groups:\t \n".to_owned()).groups(), Ok(vec![]));
    }
}
