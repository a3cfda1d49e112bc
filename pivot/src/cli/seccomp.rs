//! The options that say which system calls CMD may make.

use crate::seccomp::{Choice, Denied, Request};
use clap::builder::{OsStringValueParser, TypedValueParser};

/// What the filter is made of.
#[derive(clap::Args, Debug)]
pub struct Seccomp {
    /// Allow CMD the system calls of a policy: default is Docker's; FILE is a profile as Docker and OCI have it, or a
    /// compiled filter
    #[arg(long, value_name = "default|none|FILE", overrides_with = "seccomp")]
    #[arg(value_parser = OsStringValueParser::new().try_map(|text| Choice::parse(&text)))]
    seccomp: Option<Choice>,
    /// Refuse CMD system calls, such as mount or a group of them such as @mount
    #[arg(long, value_name = "NAME[,NAME]...", value_parser = Denied::parse)]
    seccomp_deny: Vec<Denied>,
}

impl Seccomp {
    /// What was asked for, in place of `preset` or beside it.
    pub fn request(self, preset: Request) -> Request {
        let Request { choice, mut denied } = preset;
        denied.extend(self.seccomp_deny);
        Request { choice: self.seccomp.unwrap_or(choice), denied }
    }
}
