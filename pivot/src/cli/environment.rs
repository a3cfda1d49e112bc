//! The options about variables: a table.

use super::ordered::{Row, Table, is_on, row, switch};
use crate::environment::{Change, Variables, is_name};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

impl Table for Variables {
    const HEADING: &'static str = "Variables";
    const ROWS: &'static [Row<Self>] = &[
        row(
            "env",
            "NAME[=VALUE]",
            "Set a variable for CMD, or hand that of the caller on",
            |variables, text| variable(text).map(|change| variables.changes.push(change)),
        ),
        row("env-file", "FILE", "The same for each line of FILE", |variables, text| {
            variables.changes.push(Change::File(text.into()));
            Ok(())
        }),
        row("unset-env", "NAME", "Give CMD no variable of that name", |variables, text| {
            name(text).map(|text| variables.changes.push(Change::Unset(text.into())))
        }),
        switch("clear-env", "Give CMD no variable of the caller's; PATH is set", |variables, text| {
            is_on(text).map(|on| variables.clear = Some(on))
        }),
    ];
}

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
