//! Arguments attached to short options, as util-linux's nsenter has them: `-m/run/ns/x`, `-r/srv`.
//!
//! clap wants a `=` there, because it also takes bundles (`-mun`). The two can be told apart: no option letter is
//! a `/` or a `.`, and no path of use here begins with a letter.

use crate::cli::TARGET;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Letters of the options that may have a path attached.
const WITH_PATH: &[u8] = b"muinpUCTrw";

/// The same arguments (the program's name first), a `=` put before each attached path. The command, and what
/// follows it, is left alone.
pub fn separate(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.into_iter();
    let mut separated: Vec<OsString> = args.by_ref().take(1).collect();
    while let Some(arg) = args.next() {
        let (arg, head) = one(arg);
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

fn one(arg: OsString) -> (OsString, Head) {
    match arg.as_bytes() {
        b"--target" => (arg, Head::WantsValue),
        b"--" | b"-" | b"" => (arg, Head::Ends),
        [b'-', b'-', ..] => (arg, Head::GoesOn),
        [b'-', ..] => short(arg.into_vec()),
        _ => (arg, Head::Ends),
    }
}

fn short(mut bundle: Vec<u8>) -> (OsString, Head) {
    let mut head = Head::GoesOn;
    for at in 1..bundle.len() {
        match (bundle[at], bundle.get(at + 1)) {
            (TARGET, next) => {
                head = if next.is_none() { Head::WantsValue } else { Head::GoesOn };
                break;
            }
            (letter, Some(b'/' | b'.')) if WITH_PATH.contains(&letter) => {
                bundle.insert(at + 1, b'=');
                break;
            }
            (_, Some(b'=')) => break,
            _ => {}
        }
    }
    (OsString::from_vec(bundle), head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str) -> String {
        let words = format!("nsenter-rs {line}");
        let separated = separate(words.split(' ').map(OsString::from));
        separated[1..].join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn only_attached_paths_get_a_sign() {
        for (given, expected) in [
            ("-m/run/x true", "-m=/run/x true"),
            ("-un./x true", "-un=./x true"),
            ("-r/ -w/a=b", "-r=/ -w=/a=b"),
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
    fn the_value_of_target_is_no_bundle() {
        for same in ["-t n/x", "-tn/x", "-at 5", "--target n/x", "--target=n/x"] {
            assert_eq!(line(same), same);
        }
        assert_eq!(line("-t 5 -n/x"), "-t 5 -n=/x");
        assert_eq!(line("-t"), "-t");
    }

    #[test]
    fn the_command_is_left_alone() {
        for same in ["sh -m/x", "-a sh -r/x", "-- -m/x", "-t 5 sh -m/x", "- -m/x"] {
            assert_eq!(line(same), same);
        }
    }

    #[test]
    fn bytes_that_are_no_text_survive() {
        let odd = OsString::from_vec(b"-m/\xff".to_vec());
        assert_eq!(separate(["nsenter-rs".into(), odd])[1].as_bytes(), b"-m=/\xff");
    }
}
