//! The options that mount something: a table.

use crate::layers::{Changes, Layers};
use crate::plan::{Mount, Source};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

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

const MOUNT_OPTIONS: [MountOption; 6] = [
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
    MountOption {
        name: "overlay-src",
        value: "DIR",
        help: "Have the overlay option that follows show DIR, over those before it",
        parse: overlay_src,
    },
    MountOption {
        name: "overlay",
        value: "UPPER:DST",
        help: "Mount the --overlay-src before it on DST as one, and keep changes in UPPER",
        parse: overlay,
    },
    MountOption {
        name: "tmp-overlay",
        value: "DST",
        help: "The same, but changes are lost",
        parse: tmp_overlay,
    },
    MountOption { name: "ro-overlay", value: "DST", help: "The same, but read-only", parse: ro_overlay },
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
    let (source, target) = parted(paths)?;
    if source.is_empty() {
        return Err("SRC is empty".to_owned());
    }
    Ok(Mount::new(inside(target)?, Source::Bind { source: source.into(), read_only }))
}

fn tmpfs(text: &OsStr) -> Result<Mount, String> {
    Ok(Mount::new(inside(text)?, Source::Tmpfs))
}

fn overlay_src(text: &OsStr) -> Result<Mount, String> {
    if text.is_empty() {
        return Err("DIR is empty".to_owned());
    }
    Ok(Mount::new(PathBuf::new(), Source::Layer(text.into())))
}

fn overlay(text: &OsStr) -> Result<Mount, String> {
    let (upper, target) = parted(text.as_bytes())?;
    if upper.is_empty() {
        return Err("UPPER is empty".to_owned());
    }
    stack(target, Changes::Kept { upper: upper.into(), work: None })
}

fn tmp_overlay(text: &OsStr) -> Result<Mount, String> {
    stack(text, Changes::Lost { size: None })
}

fn ro_overlay(text: &OsStr) -> Result<Mount, String> {
    stack(text, Changes::Refused)
}

/// The layers come from the options before it.
fn stack(target: &OsStr, changes: Changes) -> Result<Mount, String> {
    Ok(Mount::new(inside(target)?, Source::Overlay(Layers { lower: Vec::new(), changes })))
}

/// The last ":/" parts two paths, so the first may hold any colon.
fn parted(paths: &[u8]) -> Result<(&OsStr, &OsStr), String> {
    let colon = paths
        .windows(2)
        .rposition(|pair| pair == b":/")
        .ok_or("no absolute path DST stands after a colon")?;
    Ok((OsStr::from_bytes(&paths[..colon]), OsStr::from_bytes(&paths[colon + 1..])))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(text: &str) -> Result<(String, String, bool), String> {
        let mount = bind(OsStr::new(text))?;
        let Source::Bind { source, read_only } = mount.source else { panic!("no bind") };
        Ok((source.to_str().unwrap().to_owned(), mount.target.to_str().unwrap().to_owned(), read_only))
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
}
