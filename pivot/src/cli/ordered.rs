//! Options that count in the order in which they stood on the line, as tables: clap's derive would sort them by name.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Args, Error, FromArgMatches, value_parser};
use std::ffi::{OsStr, OsString};

/// An option, and what each use of it does to `T`.
#[derive(Debug)]
pub struct Row<T: 'static> {
    name: &'static str,
    value: &'static str,
    /// What a value that may be left out is then. It stands behind a `=`: what follows a blank would be ROOT.
    missing: Option<&'static str>,
    help: &'static str,
    apply: Apply<T>,
}

/// Understands a value.
type Apply<T> = fn(&mut T, &OsStr) -> Result<(), String>;

/// An option with its long name, the name of its value, its line in the help and its effect.
pub const fn row<T>(name: &'static str, value: &'static str, help: &'static str, apply: Apply<T>) -> Row<T> {
    Row { name, value, missing: None, help, apply }
}

/// One whose value may be left out, and is then empty.
pub const fn optional<T>(
    name: &'static str,
    value: &'static str,
    help: &'static str,
    apply: Apply<T>,
) -> Row<T> {
    Row { missing: Some(""), ..row(name, value, help, apply) }
}

/// One that is on or off, for [`is_on`]: on when nothing is said.
pub const fn switch<T>(name: &'static str, help: &'static str, apply: Apply<T>) -> Row<T> {
    Row { missing: Some("yes"), ..row(name, "yes|no", help, apply) }
}

/// The value of a [`switch`].
pub fn is_on(text: &OsStr) -> Result<bool, String> {
    match text.to_str() {
        Some("yes") => Ok(true),
        Some("no") => Ok(false),
        _ => Err("it is `yes` or `no`".to_owned()),
    }
}

/// A kind of options that are a table.
pub trait Table: Default + 'static {
    /// Above them in the help.
    const HEADING: &'static str;
    /// They.
    const ROWS: &'static [Row<Self>];
}

/// What the line says, done to the default of `T`, in its order.
#[derive(Debug)]
pub struct Ordered<T>(pub T);

impl<T: Table> Args for Ordered<T> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command
            .next_help_heading(T::HEADING)
            .args(T::ROWS.iter().map(Row::arg))
            .next_help_heading(None::<&str>)
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<T: Table> FromArgMatches for Ordered<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut found = Vec::new();
        for row in T::ROWS {
            let (places, values) = (matches.indices_of(row.name), matches.get_many::<OsString>(row.name));
            found.extend(
                places.into_iter().flatten().zip(values.into_iter().flatten().map(|value| (row, value))),
            );
        }
        found.sort_by_key(|(place, _)| *place);
        let mut all = T::default();
        for (_, (row, value)) in found {
            (row.apply)(&mut all, value).map_err(|why| row.refused(value, why))?;
        }
        Ok(Ordered(all))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<T> Row<T> {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.name)
            .long(self.name)
            .value_name(self.value)
            .help(self.help)
            .action(ArgAction::Append)
            .allow_negative_numbers(true)
            .value_parser(value_parser!(OsString));
        match self.missing {
            Some(value) => arg.num_args(0..=1).require_equals(true).default_missing_value(value),
            None => arg,
        }
    }

    fn refused(&self, value: &OsStr, why: String) -> Error {
        let arg = match self.missing {
            Some(_) => format!("--{}[=<{}>]", self.name, self.value),
            None => format!("--{} <{}>", self.name, self.value),
        };
        let mut error = Error::raw(ErrorKind::ValueValidation, why);
        error.insert(ContextKind::InvalidArg, ContextValue::String(arg));
        let value = value.to_string_lossy().into_owned();
        error.insert(ContextKind::InvalidValue, ContextValue::String(value));
        error
    }
}
