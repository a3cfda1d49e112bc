//! Arguments attached to short options, as util-linux's nsenter has them: `-m/run/ns/x`, `-r/srv`, `-n:17`.
//!
//! clap wants a `=` there, because it also takes bundles (`-mun`). The two can be told apart: no option letter is
//! a `/`, a `.` or a `:`, and no path of use here begins with a letter.

use clap::{Arg, Command};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The same arguments (the program's name first), a `=` put before each attached path. The command, and what
/// follows it, is left alone. `options` says which options take a value, and whether in the next argument.
pub fn separate(options: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut separated: Vec<OsString> = args.by_ref().take(1).collect();
    while let Some(arg) = args.next() {
        let (arg, head) = one(options, arg);
        separated.push(arg);
        match head {
            Head::Ends => break,
            Head::GoesOn => {}
            Head::WantsValue => separated.extend(args.next()),
        }
    }
    separated.extend(args);
    separated
}

/// What an argument says of the options' part of the line.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    GoesOn,
    /// The next argument is its value.
    WantsValue,
    /// It begins the command, or is the `--` before it.
    Ends,
}

fn one(options: &Command, arg: OsString) -> (OsString, Head) {
    match arg.as_bytes() {
        b"--" | b"-" | b"" => (arg, Head::Ends),
        [b'-', b'-', name @ ..] => {
            let head =
                if long(options, name).is_some_and(wants_value) { Head::WantsValue } else { Head::GoesOn };
            (arg, head)
        }
        [b'-', ..] => short(options, arg.into_vec()),
        _ => (arg, Head::Ends),
    }
}

/// The option of that name, or the only one whose name begins so.
fn long<'a>(options: &'a Command, name: &[u8]) -> Option<&'a Arg> {
    let of = |arg: &&'a Arg| arg.get_long().map_or(&b""[..], str::as_bytes);
    let named: Vec<&Arg> = options.get_arguments().filter(|arg| of(arg).starts_with(name)).collect();
    let exact = named.iter().copied().find(|arg| of(arg) == name);
    exact.or(named.first().copied().filter(|_| named.len() == 1))
}

fn short(options: &Command, mut bundle: Vec<u8>) -> (OsString, Head) {
    let mut head = Head::GoesOn;
    for at in 1..bundle.len() {
        let letter = char::from(bundle[at]);
        let option = options.get_arguments().find(|arg| arg.get_short() == Some(letter));
        match (option.filter(|arg| arg.get_action().takes_values()), bundle.get(at + 1)) {
            (_, Some(b'=')) => break,
            (Some(option), next) if wants_value(option) => {
                head = if next.is_none() { Head::WantsValue } else { Head::GoesOn };
                break;
            }
            (Some(_), Some(b'/' | b'.' | b':')) => {
                bundle.insert(at + 1, b'=');
                break;
            }
            _ => {}
        }
    }
    (OsString::from_vec(bundle), head)
}

/// Whether its value may be the next argument: where it can be left out, a `=` goes before it.
fn wants_value(option: &Arg) -> bool {
    option.get_action().takes_values() && !option.is_require_equals_set()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Options;
    use clap::CommandFactory;

    fn line(line: &str) -> String {
        let words = format!("nsenter-rs {line}");
        let separated = separate(&Options::command(), words.split(' ').map(OsString::from));
        separated[1..].join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn only_attached_paths_get_a_sign() {
        for (given, expected) in [
            ("-m/run/x true", "-m=/run/x true"),
            ("-un./x true", "-un=./x true"),
            ("-n:17 true", "-n=:17 true"),
            ("-r/ -w/a=b", "-r=/ -w=/a=b"),
            ("-W/tmp true", "-W=/tmp true"),
            ("-m=/run/x", "-m=/run/x"),
            ("-mun", "-mun"),
            ("--mount=/x -n/y", "--mount=/x -n=/y"),
            ("-a/x", "-a/x"),
            ("-", "-"),
        ] {
            assert_eq!(line(given), expected);
        }
    }

    #[test]
    fn a_value_is_no_bundle() {
        for same in
            ["-t n/x", "-tn/x", "-at 5", "--target n/x", "--target=n/x", "--targ n/x", "-S n/x", "-cG n/x"]
        {
            assert_eq!(line(same), same);
        }
        assert_eq!(line("-t 5 -n/x"), "-t 5 -n=/x");
        assert_eq!(line("--setu 5 -n/x"), "--setu 5 -n=/x");
        assert_eq!(line("-t"), "-t");
    }

    #[test]
    fn the_command_is_left_alone() {
        for same in ["sh -m/x", "-a sh -r/x", "-- -m/x", "-t 5 sh -m/x", "- -m/x", "--env sh -m/x"] {
            assert_eq!(line(same), same);
        }
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let odd = OsString::from_vec(b"-m/\xff".to_vec());
        assert_eq!(separate(&Options::command(), ["nsenter-rs".into(), odd])[1].as_bytes(), b"-m=/\xff");
    }
}
