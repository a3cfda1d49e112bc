//! The options that take power away from the command: a table.

use super::ordered::{self, Row, SWITCH, switch};
use crate::confine::capabilities::{self, Change};
use crate::confine::landlock::Access;
use crate::confine::limits;
use crate::confine::policy::Policy;
use crate::confine::securebits;
use crate::confine::user;
use crate::seccomp::{Choice, Denied};
use clap::{ArgMatches, Args, FromArgMatches};
use std::path::Path;

const TABLE: [Row<Policy>; 20] = [
    Row {
        name: "confine",
        value: SWITCH,
        help: "Confine CMD as docker does; other options loosen or tighten it, wherever they stand",
        apply: |policy, text| switch(text).map(|on| policy.confine = on),
    },
    Row {
        name: "user",
        value: "USER[:GROUP]",
        help: "Run CMD as this user of the new root, with its groups",
        apply: |policy, text| user::parse(text).map(|who| policy.user = Some(who)),
    },
    Row {
        name: "groups",
        value: "GROUP[,GROUP]...|none",
        help: "Give CMD these supplementary groups only",
        apply: |policy, text| user::parse_groups(text).map(|groups| policy.groups = Some(groups)),
    },
    Row {
        name: "cap-drop",
        value: "CAP[,CAP]...|all",
        help: "Take a capability away from CMD and all that it starts",
        apply: |policy, text| {
            capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Drop(caps)))
        },
    },
    Row {
        name: "cap-add",
        value: "CAP[,CAP]...|all",
        help: "Leave it a capability that --confine, or an option before, takes away",
        apply: |policy, text| {
            capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Add(caps)))
        },
    },
    Row {
        name: "cap-keep",
        value: "CAP[,CAP]...|all",
        help: "Take all capabilities away but these",
        apply: |policy, text| {
            capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Keep(caps)))
        },
    },
    Row {
        name: "ambient",
        value: "CAP[,CAP]...|all|none",
        help: "Give CMD these capabilities also as a user other than root",
        apply: |policy, text| capabilities::parse_or_none(text).map(|caps| policy.ambient = Some(caps)),
    },
    Row {
        name: "no-new-privs",
        value: SWITCH,
        help: "Let no program give CMD more rights, set-user-ID or not",
        apply: |policy, text| switch(text).map(|on| policy.no_new_privs = Some(on)),
    },
    Row {
        name: "seccomp",
        value: "default|none|FILE",
        help: "Allow CMD the system calls of docker's policy, or of a file in docker's format or the kernel's",
        apply: |policy, text| {
            Choice::parse(text).map(|choice| policy.seccomp = Some(choice)).map_err(str::to_owned)
        },
    },
    Row {
        name: "seccomp-deny",
        value: "NAME[,NAME]...",
        help: "Refuse CMD system calls, such as mount or a group of them such as @mount",
        apply: |policy, text| {
            let text = text.to_str().ok_or("it is not a system call")?;
            Denied::parse(text).map(|denied| policy.denied.push(denied))
        },
    },
    Row {
        name: "landlock-ro",
        value: "PATH",
        help: "Let CMD read and run what is below PATH, and use no file but those so named",
        apply: |policy, text| policy.landlock.add(Access::Read, Path::new(text)),
    },
    Row {
        name: "landlock-rw",
        value: "PATH",
        help: "The same, and write there",
        apply: |policy, text| policy.landlock.add(Access::Write, Path::new(text)),
    },
    Row {
        name: "rlimit",
        value: "NAME=SOFT[:HARD]",
        help: "Set a resource limit",
        apply: |policy, text| limits::parse(text).map(|limit| policy.set_limit(limit)),
    },
    Row {
        name: "umask",
        value: "OCTAL",
        help: "Set the file mode creation mask",
        apply: |policy, text| limits::parse_umask(text).map(|mask| policy.umask = Some(mask)),
    },
    Row {
        name: "oom-score-adj",
        value: "N",
        help: "Say how eagerly the kernel kills CMD when memory runs out: -1000 to 1000",
        apply: |policy, text| limits::parse_oom(text).map(|score| policy.oom_score_adj = Some(score)),
    },
    Row {
        name: "new-session",
        value: SWITCH,
        help: "Run CMD in a session of its own, without a terminal that controls it",
        apply: |policy, text| switch(text).map(|on| policy.new_session = on),
    },
    Row {
        name: "pty",
        value: SWITCH,
        help: "Give CMD a terminal of its own, relayed to this one, and wait for it",
        apply: |policy, text| switch(text).map(|on| policy.pty = on),
    },
    Row {
        name: "securebits",
        value: "BIT[,BIT]...",
        help: "Set securebits, as setpriv(1) names them",
        apply: |policy, text| securebits::parse(text).map(|bits| policy.securebits |= bits),
    },
    Row {
        name: "keyring",
        value: SWITCH,
        help: "Give CMD a new session keyring",
        apply: |policy, text| switch(text).map(|on| policy.keyring = Some(on)),
    },
    Row {
        name: "nodev",
        value: SWITCH,
        help: "Let device nodes of the root have no effect",
        apply: |policy, text| switch(text).map(|on| policy.nodev = Some(on)),
    },
];

impl Args for Policy {
    fn augment_args(command: clap::Command) -> clap::Command {
        ordered::add(command, "Confinement", &TABLE)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Policy {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        ordered::collect(matches, &TABLE)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
