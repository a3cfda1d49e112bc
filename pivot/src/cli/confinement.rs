//! The options that take power away from the command: a table.

use super::ordered::{Row, Table, is_on, row, switch};
use crate::confine::capabilities::{self, Change};
use crate::confine::landlock::Access;
use crate::confine::limits;
use crate::confine::policy::Policy;
use crate::confine::securebits;
use crate::seccomp::{Choice, Denied};
use chain::user;
use std::path::Path;

impl Table for Policy {
    const HEADING: &'static str = "Confinement";
    const ROWS: &'static [Row<Self>] = &[
        switch(
            "confine",
            "Confine CMD as docker does; other options loosen or tighten it, wherever they stand",
            |policy, text| is_on(text).map(|on| policy.confine = on),
        ),
        row(
            "user",
            "USER[:GROUP]",
            "Run CMD as this user of the new root, with its groups",
            |policy, text| user::parse(text).map(|who| policy.user = Some(who)),
        ),
        row("groups", "GROUP[,GROUP]...|none", "Give CMD these supplementary groups only", |policy, text| {
            user::parse_groups(text).map(|groups| policy.groups = Some(groups))
        }),
        row(
            "cap-drop",
            "CAP[,CAP]...|all",
            "Take a capability away from CMD and all that it starts",
            |policy, text| capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Drop(caps))),
        ),
        row(
            "cap-add",
            "CAP[,CAP]...|all",
            "Leave it a capability that --confine, or an option before, takes away",
            |policy, text| capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Add(caps))),
        ),
        row("cap-keep", "CAP[,CAP]...|all", "Take all capabilities away but these", |policy, text| {
            capabilities::parse(text).map(|caps| policy.capabilities.push(Change::Keep(caps)))
        }),
        row(
            "ambient",
            "CAP[,CAP]...|all|none",
            "Give CMD these capabilities also as a user other than root",
            |policy, text| capabilities::parse_or_none(text).map(|caps| policy.ambient = Some(caps)),
        ),
        switch("no-new-privs", "Let no program give CMD more rights, set-user-ID or not", |policy, text| {
            is_on(text).map(|on| policy.no_new_privs = Some(on))
        }),
        row(
            "seccomp",
            "default|none|FILE",
            "Allow CMD the system calls of docker's policy, or of a file in docker's format or the kernel's",
            |policy, text| {
                Choice::parse(text).map(|choice| policy.seccomp = Some(choice)).map_err(str::to_owned)
            },
        ),
        row(
            "seccomp-deny",
            "NAME[,NAME]...",
            "Refuse CMD system calls, such as mount or a group of them such as @mount",
            |policy, text| {
                let text = text.to_str().ok_or("it is not a system call")?;
                Denied::parse(text).map(|denied| policy.denied.push(denied))
            },
        ),
        row(
            "seccomp-save",
            "FILE",
            "Write the compiled filter to FILE, for --seccomp FILE",
            |policy, text| {
                policy.saved_filter = Some(text.into());
                Ok(())
            },
        ),
        row(
            "landlock-ro",
            "PATH",
            "Let CMD read and run what is below PATH, and use no file but those so named",
            |policy, text| policy.landlock.add(Access::Read, Path::new(text)),
        ),
        row("landlock-rw", "PATH", "The same, and write there", |policy, text| {
            policy.landlock.add(Access::Write, Path::new(text))
        }),
        row("rlimit", "NAME=SOFT[:HARD]", "Set a resource limit", |policy, text| {
            limits::parse(text).map(|limit| policy.set_limit(limit))
        }),
        row("umask", "OCTAL", "Set the file mode creation mask", |policy, text| {
            limits::parse_umask(text).map(|mask| policy.umask = Some(mask))
        }),
        row(
            "oom-score-adj",
            "N",
            "Say how eagerly the kernel kills CMD when memory runs out: -1000 to 1000",
            |policy, text| limits::parse_oom(text).map(|score| policy.oom_score_adj = Some(score)),
        ),
        switch("default-signals", "Let no signal be ignored by CMD from the start", |policy, text| {
            is_on(text).map(|on| policy.default_signals = on)
        }),
        switch(
            "new-session",
            "Run CMD in a session of its own, without a terminal that controls it",
            |policy, text| is_on(text).map(|on| policy.new_session = on),
        ),
        switch(
            "pty",
            "Give CMD a terminal of its own, relayed to this one, and wait for it",
            |policy, text| is_on(text).map(|on| policy.pty = on),
        ),
        row("securebits", "BIT[,BIT]...", "Set securebits, as setpriv(1) names them", |policy, text| {
            securebits::parse(text).map(|bits| policy.securebits |= bits)
        }),
        switch("keyring", "Give CMD a new session keyring", |policy, text| {
            is_on(text).map(|on| policy.keyring = Some(on))
        }),
        switch("nodev", "Let device nodes of the root have no effect", |policy, text| {
            is_on(text).map(|on| policy.nodev = Some(on))
        }),
    ];
}
