//! The options.

use crate::plan::{Mount, Source};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Make a directory the root, then run a command in it
///
/// ROOT is a directory. CMD is looked up in it; it is /bin/sh when not given. The old root is detached: no path leads
/// to it any more. The new root gets a /dev, a read-only /sys and, in a new pid namespace, a /proc. The caller sees
/// none of these mounts.
#[derive(clap::Parser, Debug)]
#[command(version, override_usage = "pivot [OPTIONS] ROOT [CMD [ARG]...]")]
pub struct Options {
    /// Only switch the root: no /dev, /proc or /sys
    #[arg(long)]
    pub bare: bool,
    /// Make the root read-only, with all that is mounted in it
    #[arg(long)]
    pub ro: bool,
    /// In the order given.
    #[command(flatten)]
    pub mounts: Mounts,
    /// Start CMD in this directory of the new root instead of /
    #[arg(long, value_name = "DIR")]
    pub chdir: Option<PathBuf>,
    /// Set a variable for CMD
    #[arg(long, value_name = "NAME=VALUE", value_parser = OsStringValueParser::new().try_map(|text| variable(&text)))]
    pub env: Vec<(OsString, OsString)>,
    /// Give CMD no variable but PATH and those of --env
    #[arg(long)]
    pub clear_env: bool,
    /// Leave descriptor N open for CMD; all others above 2 are closed
    #[arg(long, value_name = "N", value_parser = OsStringValueParser::new().try_map(|text| descriptor(&text)))]
    pub keep_fd: Vec<u32>,
    /// ROOT, CMD and its arguments.
    #[arg(hide = true, trailing_var_arg = true)]
    pub operands: Vec<OsString>,
}

/// The options that mount something, in the order in which they stood on the line: clap's derive would sort them
/// by name.
#[derive(Debug, Default)]
pub struct Mounts(pub Vec<Mount>);

struct MountOption {
    name: &'static str,
    value: &'static str,
    help: &'static str,
    parse: fn(&OsStr) -> Result<Mount, String>,
}

const MOUNT_OPTIONS: [MountOption; 2] = [
    MountOption {
        name: "bind",
        value: "SRC:DST[:ro]",
        help: "Show SRC of the old root, with all that is mounted in it, as DST",
        parse: bind,
    },
    MountOption {
        name: "tmpfs",
        value: "DST",
        help: "Mount a new empty file system in memory on DST",
        parse: tmpfs,
    },
];

impl Args for Mounts {
    fn augment_args(command: clap::Command) -> clap::Command {
        MOUNT_OPTIONS.iter().fold(command, |command, option| {
            let arg = Arg::new(option.name).long(option.name).value_name(option.value).help(option.help);
            let parser = OsStringValueParser::new().try_map(|text| (option.parse)(&text));
            command.arg(arg.action(ArgAction::Append).value_parser(parser))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Mounts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found = Vec::new();
        for option in &MOUNT_OPTIONS {
            let values =
                matches.try_get_many::<Mount>(option.name).map_err(|e| wrong(&e))?.unwrap_or_default();
            found.extend(matches.indices_of(option.name).unwrap_or_default().zip(values.cloned()));
        }
        found.sort_by_key(|(index, _)| *index);
        Ok(Mounts(found.into_iter().map(|(_, mount)| mount).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(e: &clap::parser::MatchesError) -> clap::Error {
    clap::Error::raw(ErrorKind::Io, e.to_string())
}

/// `SRC:DST`, `SRC:DST:ro` or `SRC:DST:rw`. The last ":/" parts the two, so SRC may hold any colon.
fn bind(text: &OsStr) -> Result<Mount, String> {
    let text = text.as_bytes();
    let (paths, read_only) = match (text.strip_suffix(b":ro"), text.strip_suffix(b":rw")) {
        (Some(paths), _) => (paths, true),
        (None, Some(paths)) => (paths, false),
        (None, None) => (text, false),
    };
    let colon = paths
        .windows(2)
        .rposition(|pair| pair == b":/")
        .ok_or("no absolute path DST stands after a colon")?;
    let (source, target) = (OsStr::from_bytes(&paths[..colon]), OsStr::from_bytes(&paths[colon + 1..]));
    if source.is_empty() {
        return Err("SRC is empty".to_owned());
    }
    Ok(Mount::new(inside(target)?, Source::Bind { source: source.into(), read_only }))
}

fn tmpfs(text: &OsStr) -> Result<Mount, String> {
    Ok(Mount::new(inside(text)?, Source::Tmpfs))
}

/// The path below the root that an absolute path inside it means.
fn inside(target: &OsStr) -> Result<PathBuf, String> {
    let path = Path::new(target);
    if !path.is_absolute() {
        return Err("DST is not absolute".to_owned());
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return Err("DST has a .. in it".to_owned());
    }
    let below: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    if below.as_os_str().is_empty() { Err("DST is the root itself".to_owned()) } else { Ok(below) }
}

fn variable(text: &OsStr) -> Result<(OsString, OsString), &'static str> {
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => Err("it has no ="),
        Some(0) => Err("NAME is empty"),
        Some(at) => Ok((OsStr::from_bytes(&bytes[..at]).into(), OsStr::from_bytes(&bytes[at + 1..]).into())),
    }
}

fn descriptor(text: &OsStr) -> Result<u32, &'static str> {
    text.to_str().and_then(|text| text.parse().ok()).ok_or("it is not the number of a descriptor")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn parsed(line: &[&str]) -> Options {
        Options::try_parse_from([&["pivot"], line].concat()).unwrap()
    }

    fn bound(text: &str) -> Result<(String, String, bool), String> {
        let mount = bind(OsStr::new(text))?;
        let Source::Bind { source, read_only } = mount.source else { panic!("no bind") };
        Ok((source.to_str().unwrap().to_owned(), mount.target.to_str().unwrap().to_owned(), read_only))
    }

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn binds_are_parted_at_the_last_colon_before_a_slash() {
        let rows = [
            ("a:/b", ("a", "b", false)),
            ("/a:/b:ro", ("/a", "b", true)),
            ("/a:/b:rw", ("/a", "b", false)),
            ("/a:/b:ro:rw", ("/a", "b:ro", false)),
            ("/a:x:/y:/b//c/./d/", ("/a:x:/y", "b/c/d", false)),
            ("a:/b:c", ("a", "b:c", false)),
        ];
        for (text, (source, target, read_only)) in rows {
            assert_eq!(bound(text), Ok((source.to_owned(), target.to_owned(), read_only)), "{text}");
        }
    }

    #[test]
    fn binds_that_make_no_sense_are_refused() {
        for text in ["", "a", "a:", "a:b", ":/b", ":/b:ro", "a:/", "a:/.", "a:/b/..", "a:/../b", "/a", "a:ro"]
        {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn mounts_keep_the_order_of_the_line() {
        let options = parsed(&["--tmpfs", "/a", "--bind", "x:/a/b", "--tmpfs", "/c", "ROOT"]);
        let targets: Vec<_> = options.mounts.0.iter().map(|mount| mount.target.to_str().unwrap()).collect();
        assert_eq!(targets, ["a", "a/b", "c"]);
    }

    #[test]
    fn nothing_after_the_root_is_an_option_of_ours() {
        let options = parsed(&["--ro", "ROOT", "sh", "--bare", "-c", "x", "--", "--help"]);
        assert!(options.ro && !options.bare);
        assert_eq!(options.operands, ["ROOT", "sh", "--bare", "-c", "x", "--", "--help"]);
    }

    #[test]
    fn a_variable_is_parted_at_its_first_equals_sign() {
        assert_eq!(variable("A=b=c".as_ref()), Ok(("A".into(), "b=c".into())));
        assert_eq!(variable("A=".as_ref()), Ok(("A".into(), "".into())));
        assert!(variable("A".as_ref()).is_err() && variable("=b".as_ref()).is_err());
    }
}
