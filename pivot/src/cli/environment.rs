//! The options about variables: a table.

use super::ordered::{self, Row, SWITCH, switch};
use crate::environment::{Change, Variables, is_name};
use clap::{ArgMatches, Args, FromArgMatches};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

const TABLE: [Row<Variables>; 4] = [
    Row {
        name: "env",
        value: "NAME[=VALUE]",
        help: "Set a variable for CMD, or hand that of the caller on",
        apply: |variables, text| variable(text).map(|change| variables.changes.push(change)),
    },
    Row {
        name: "env-file",
        value: "FILE",
        help: "The same for each line of FILE",
        apply: |variables, text| {
            variables.changes.push(Change::File(text.into()));
            Ok(())
        },
    },
    Row {
        name: "unset-env",
        value: "NAME",
        help: "Give CMD no variable of that name",
        apply: |variables, text| name(text).map(|text| variables.changes.push(Change::Unset(text.into()))),
    },
    Row {
        name: "clear-env",
        value: SWITCH,
        help: "Give CMD no variable of the caller's; PATH is set",
        apply: |variables, text| switch(text).map(|on| variables.clear = Some(on)),
    },
];

fn variable(text: &OsStr) -> Result<Change, String> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => name(text).map(|text| Change::Inherit(text.into())),
        Some(0) => Err("NAME is empty".to_owned()),
        Some(at) => Ok(Change::Set(
            OsStr::from_bytes(&bytes[..at]).into(),
            OsStr::from_bytes(&bytes[at + 1..]).into(),
        )),
    }
}

fn name(text: &OsStr) -> Result<&OsStr, String> {
    match text {
        text if text.is_empty() => Err("NAME is empty".to_owned()),
        text if is_name(text.as_bytes()) => Ok(text),
        _ => Err("NAME has a `=` in it".to_owned()),
    }
}

impl Args for Variables {
    fn augment_args(command: clap::Command) -> clap::Command {
        ordered::add(command, "Variables", &TABLE)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Variables {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        ordered::collect(matches, &TABLE)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_parted_at_its_first_equals_sign() {
        assert_eq!(variable("A=b=c".as_ref()), Ok(Change::Set("A".into(), "b=c".into())));
        assert_eq!(variable("A=".as_ref()), Ok(Change::Set("A".into(), "".into())));
        assert_eq!(variable("A".as_ref()), Ok(Change::Inherit("A".into())));
        assert!(variable("=b".as_ref()).is_err() && variable("".as_ref()).is_err());
    }
}
