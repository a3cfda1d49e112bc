//! Options that count in the order in which they stood on the line, as tables: clap's derive would sort them by name.

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches};
use std::ffi::{OsStr, OsString};

/// An option, and what each use of it does to `T`.
#[derive(Debug)]
pub struct Row<T: 'static> {
    /// Its long name.
    pub name: &'static str,
    /// The name of its value; [`SWITCH`] is one that may be left out.
    pub value: &'static str,
    /// The line in the help.
    pub help: &'static str,
    /// Understands a value. It is tried out on a `T` of its own first, so that a wrong one is misuse like any other.
    pub apply: fn(&mut T, &OsStr) -> Result<(), String>,
}

/// The value of an option that is on or off, and on when nothing is said.
pub const SWITCH: &str = "yes|no";

/// Adds the options to the command line.
pub fn add<T: Default>(
    command: clap::Command,
    heading: &'static str,
    table: &'static [Row<T>],
) -> clap::Command {
    table.iter().fold(command, |command, row| {
        let check = |text: OsString| (row.apply)(&mut T::default(), &text).map(|()| text);
        let arg = Arg::new(row.name)
            .long(row.name)
            .value_name(row.value)
            .help(row.help)
            .help_heading(heading)
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .value_parser(OsStringValueParser::new().try_map(check));
        command.arg(if row.value == SWITCH { optional(arg) } else { arg })
    })
}

fn optional(arg: Arg) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value("yes")
}

/// What the line says, done to the default of `T`, in its order.
pub fn collect<T: Default>(matches: &ArgMatches, table: &'static [Row<T>]) -> Result<T, clap::Error> {
    let mut found = Vec::new();
    for row in table {
        let values = matches.try_get_many::<OsString>(row.name).map_err(|e| wrong(&e))?.unwrap_or_default();
        let places = matches.indices_of(row.name).unwrap_or_default();
        found.extend(places.zip(values).map(|(place, value)| (place, row, value)));
    }
    found.sort_by_key(|(place, ..)| *place);
    let mut all = T::default();
    for (_, row, value) in found {
        (row.apply)(&mut all, value).map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, why))?;
    }
    Ok(all)
}

fn wrong(e: &clap::parser::MatchesError) -> clap::Error {
    clap::Error::raw(ErrorKind::Io, e.to_string())
}

/// The value of a [`SWITCH`].
pub fn switch(text: &OsStr) -> Result<bool, String> {
    match text.to_str() {
        Some("yes") => Ok(true),
        Some("no") => Ok(false),
        _ => Err("it is `yes` or `no`".to_owned()),
    }
}
