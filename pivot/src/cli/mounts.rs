//! The options that furnish the root: a table.

use crate::cli::{layers, steps};
use crate::plan::Step;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use std::ffi::OsStr;

/// The options that furnish the root, in the order in which they stood on the line: clap's derive would sort them
/// by name.
#[derive(Debug, Default)]
pub struct Mounts(pub Vec<Step>);

struct MountOption {
    name: &'static str,
    value: &'static str,
    is_optional: bool,
    help: &'static str,
    parse: fn(&OsStr) -> Result<Step, String>,
}

const fn row(
    name: &'static str,
    value: &'static str,
    help: &'static str,
    parse: fn(&OsStr) -> Result<Step, String>,
) -> MountOption {
    MountOption { name, value, is_optional: false, help, parse }
}

/// Its value may be left out, and stands behind a `=`: what follows a blank would be ROOT.
const fn optional(
    name: &'static str,
    value: &'static str,
    help: &'static str,
    parse: fn(&OsStr) -> Result<Step, String>,
) -> MountOption {
    MountOption { name, value, is_optional: true, help, parse }
}

const BIND: &str = "SRC:DST[:OPTIONS]";
const BIND_FD: &str = "N:DST[:OPTIONS]";
const PLACE: &str = "[DST][:OPTIONS]";

const MOUNT_OPTIONS: [MountOption; 27] = [
    row("bind", BIND, "Show SRC of the old root, with all that is mounted in it, as DST", steps::bind),
    row("ro-bind", BIND, "Like --bind, read-only", steps::ro_bind),
    row("bind-try", BIND, "Like --bind, but nothing when there is no SRC", steps::bind_try),
    row("ro-bind-try", BIND, "Like --ro-bind, but nothing when there is no SRC", steps::ro_bind_try),
    row("bind-fd", BIND_FD, "Like --bind for what descriptor N has open", steps::bind_fd),
    row("ro-bind-fd", BIND_FD, "Like --bind-fd, read-only", steps::ro_bind_fd),
    row("tmpfs", "DST[:OPTIONS]", "Mount a new empty file system in memory on DST", steps::tmpfs),
    optional(
        "proc",
        PLACE,
        "Mount /proc, also without a new pid namespace; `pid`: processes only",
        steps::proc,
    ),
    optional("sys", PLACE, "Mount /sys; `rw`: writable", steps::sys),
    optional("dev", PLACE, "Mount a minimal /dev", steps::dev),
    optional("devpts", PLACE, "Mount new terminals on /dev/pts", steps::devpts),
    optional("shm", PLACE, "Mount shared memory on /dev/shm; `size=1G`", steps::shm),
    optional("mqueue", PLACE, "Mount message queues on /dev/mqueue", steps::mqueue),
    optional(
        "cgroup",
        PLACE,
        "Mount control groups on /sys/fs/cgroup, read-only; `rw`: writable",
        steps::cgroup,
    ),
    row(
        "mount",
        "TYPE:DST[:OPTIONS]",
        "Mount any file system; OPTIONS it takes, source=... too",
        steps::mount,
    ),
    row(
        "overlay-src",
        "DIR",
        "Have the overlay option that follows show DIR, over those before it",
        layers::layer,
    ),
    row(
        "overlay",
        "UPPER:DST[:OPTIONS]",
        "Mount the --overlay-src before it on DST as one, and keep changes in UPPER",
        layers::overlay,
    ),
    row("tmp-overlay", "DST[:OPTIONS]", "The same, but changes are lost", layers::tmp_overlay),
    row("ro-overlay", "DST[:OPTIONS]", "The same, but read-only", layers::ro_overlay),
    row("file", "DST[:OPTIONS]=TEXT", "Show a file with this content as DST", steps::file),
    row("file-fd", "N:DST[:OPTIONS]", "Show a file with what descriptor N gives as DST", steps::file_fd),
    row("symlink", "DST=TARGET", "Make DST a symbolic link to TARGET", steps::symlink),
    row("dir", "DST[:OPTIONS]", "Make the directory DST", steps::dir),
    row("chmod", "DST=MODE", "Give DST these permission bits", steps::chmod),
    row("remount-ro", "DST", "Make the mount on DST read-only", steps::remount_ro),
    row("hosts", "FILE", "Show FILE as /etc/hosts, read-only", steps::hosts),
    row("resolv-conf", "FILE", "Show FILE as /etc/resolv.conf, read-only", steps::resolv_conf),
];

impl Args for Mounts {
    fn augment_args(command: clap::Command) -> clap::Command {
        MOUNT_OPTIONS.iter().fold(command, |command, option| command.arg(option.arg()))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl MountOption {
    fn arg(&self) -> Arg {
        let parse = self.parse;
        let parser = OsStringValueParser::new().try_map(move |text| parse(&text));
        let arg = Arg::new(self.name).long(self.name).value_name(self.value).help(self.help);
        let arg = arg.help_heading("Mounts, done in the order given").action(ArgAction::Append);
        let arg = arg.value_parser(parser);
        if self.is_optional {
            arg.num_args(0..=1).require_equals(true).default_missing_value("")
        } else {
            arg
        }
    }
}

impl FromArgMatches for Mounts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found = Vec::new();
        for option in &MOUNT_OPTIONS {
            let values =
                matches.try_get_many::<Step>(option.name).map_err(|e| wrong(&e))?.unwrap_or_default();
            found.extend(matches.indices_of(option.name).unwrap_or_default().zip(values.cloned()));
        }
        found.sort_by_key(|(index, _)| *index);
        Ok(Mounts(found.into_iter().map(|(_, step)| step).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(e: &clap::parser::MatchesError) -> clap::Error {
    clap::Error::raw(ErrorKind::Io, e.to_string())
}
