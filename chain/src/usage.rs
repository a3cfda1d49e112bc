//! Misuse told in the words of the contract: one line, the cure on a second, status 125.

use crate::error::{self, Cannot, Error, Result};
use crate::text;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Parser};
use std::ffi::OsString;
use std::io::Write;
use std::net::AddrParseError;
use std::num::{IntErrorKind, ParseIntError};
use std::os::unix::ffi::OsStrExt;

/// Parses this process's arguments; `None` when help or the version was asked for and printed.
pub fn parse<Options: Parser>() -> Result<Option<Options>> {
    match Options::try_parse() {
        Ok(options) => Ok(Some(options)),
        Err(e) if e.use_stderr() => Err(explain(&e, &Options::command())),
        Err(e) => print(&e.to_string()).map(|()| None),
    }
}

fn print(help: &str) -> Result<()> {
    let mut out = std::io::stdout();
    out.write_all(help.as_bytes()).and_then(|()| out.flush()).cannot("write the help text")
}

fn explain(e: &clap::Error, tool: &Command) -> Error {
    let arg = part(e, ContextKind::InvalidArg).unwrap_or_default();
    let value = part(e, ContextKind::InvalidValue);
    let error = match (e.kind(), value) {
        (ErrorKind::UnknownArgument, _) => {
            let is_option = arg.starts_with('-');
            let why = if is_option { "no such option" } else { "it is one word too many" };
            Error::new(format_args!("use {}", text::show(arg)), why)
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let verb = part(e, ContextKind::InvalidSubcommand).unwrap_or_default();
            Error::new(format_args!("do {}", text::show(verb)), "no such verb")
        }
        (ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, _) => {
            Error::new("start", "no verb given")
        }
        (ErrorKind::MissingRequiredArgument, _) => Error::new("start", missing(e)),
        (ErrorKind::ArgumentConflict, _) => {
            let other = part(e, ContextKind::PriorArg).unwrap_or_default();
            Error::new(format_args!("use {arg}"), format_args!("it does not go with {other}"))
        }
        (ErrorKind::InvalidValue, Some(value)) if value.is_empty() => {
            Error::new(format_args!("use {arg}"), "its value is missing")
        }
        (ErrorKind::InvalidValue | ErrorKind::ValueValidation, Some(value)) => {
            Error::new(format_args!("use {} for {arg}", text::show(value)), why_not(e))
        }
        _ => Error::new("understand the command line", first_line(e)),
    };
    error.hint(advice(e, tool))
}

fn missing(e: &clap::Error) -> String {
    match e.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(many)) if many.len() > 1 => format!("{} are missing", many.join(" and ")),
        _ => format!("{} is missing", part(e, ContextKind::InvalidArg).unwrap_or_default()),
    }
}

fn why_not(e: &clap::Error) -> String {
    match (std::error::Error::source(e), part(e, ContextKind::ValidValue)) {
        (Some(reason), _) => in_plain_words(reason),
        (None, Some(allowed)) => format!("it is one of {allowed}"),
        (None, None) => first_line(e),
    }
}

/// What the standard library and clap have to say of numbers and addresses is for who programs.
fn in_plain_words(reason: &(dyn std::error::Error + 'static)) -> String {
    if reason.is::<AddrParseError>() {
        return "it is no address of IPv4 or IPv6".to_owned();
    }
    if let Some(reason) = reason.downcast_ref::<ParseIntError>() {
        let is_large = matches!(reason.kind(), IntErrorKind::PosOverflow | IntErrorKind::NegOverflow);
        return if is_large { "the number is too large" } else { "it is no number" }.to_owned();
    }
    let text = reason.to_string();
    let bounds = text.split_once(" is not in ").and_then(|(_, range)| range.split_once(".."));
    match bounds {
        Some((first, last)) => format!("it is no number from {first} to {}", last.trim_start_matches('=')),
        None => text,
    }
}

fn advice(e: &clap::Error, tool: &Command) -> String {
    let similar = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let (words, verb) = verb(tool);
    match similar.iter().find_map(|kind| part(e, *kind)) {
        Some(close) => format!("did you mean {close}?"),
        None if takes_a_command(verb) && follows_an_operand(e) => {
            "if it belongs to the command, put -- before the command".to_owned()
        }
        None => format!("`{}{words} --help` tells what it takes", error::tool()),
    }
}

/// The verb that was given: its words, each with a blank before it, and what it takes.
fn verb(tool: &Command) -> (String, &Command) {
    let (mut words, mut verb) = (String::new(), tool);
    for arg in std::env::args_os().skip(1) {
        let Some(found) = verb.find_subcommand(&arg) else { break };
        words = format!("{words} {}", found.get_name());
        verb = found;
    }
    (words, verb)
}

fn takes_a_command(verb: &Command) -> bool {
    verb.get_arguments().any(|arg| arg.is_last_set() || arg.is_trailing_var_arg_set())
}

/// `VERB WORD... CMD -x` without the `--` that such verbs want before the command.
fn follows_an_operand(e: &clap::Error) -> bool {
    let Some(option) = part(e, ContextKind::InvalidArg).filter(|_| e.kind() == ErrorKind::UnknownArgument)
    else {
        return false;
    };
    let args: Vec<_> = std::env::args_os().skip(2).collect();
    let starts = |arg: &OsString, start: &str| arg.as_bytes().starts_with(start.as_bytes());
    let at = args.iter().position(|arg| starts(arg, &option));
    at.and_then(|at| at.checked_sub(1)).is_some_and(|before| !starts(&args[before], "-"))
}

fn first_line(e: &clap::Error) -> String {
    let text = e.to_string();
    text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn part(e: &clap::Error, kind: ContextKind) -> Option<String> {
    match e.get(kind)? {
        ContextValue::String(one) => Some(one.clone()),
        ContextValue::Strings(many) => Some(many.join(", ")),
        ContextValue::StyledStr(one) => Some(one.to_string()),
        other => Some(other.to_string()),
    }
}
