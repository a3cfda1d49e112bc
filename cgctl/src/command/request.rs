//! What `cgctl new` was asked for, read and checked before anything is made.

use crate::command::job::JobOptions;
use crate::hierarchy::parent::{Name, Parent};
use crate::hierarchy::place::Place;
use crate::hierarchy::{Hierarchies, Hierarchy};
use crate::verbs::new::Options;
use crate::vocabulary::setting::{Setting, is_setting};
use chain::text::show;
use chain::{Error, Result};
use std::ffi::OsString;

/// The words of the command line, understood.
#[derive(Debug)]
pub struct Request {
    /// The name of the group, when one was given.
    pub name: Option<Name>,
    /// Where the name begins.
    pub parent: Parent,
    /// The limits, in the order given.
    pub settings: Vec<Setting>,
    /// What is to be done about the command.
    pub job: JobOptions,
    /// No group is made.
    pub no_group: bool,
    /// Processes may be moved out of the way.
    pub evacuates: bool,
    /// The rest of the line; empty for a group that stays.
    pub command: Vec<OsString>,
}

impl Request {
    /// Reads the words: a name may come first, the others are settings, each key once.
    pub fn read(options: Options) -> Result<Self> {
        let Options { words, command, place, evacuate, no_group, job } = options;
        let has_name = words.first().is_some_and(|word| !is_setting(word));
        let (names, settings) = words.split_at(usize::from(has_name));
        let odd = settings.iter().find(|word| !is_setting(word));
        if command.is_empty() && (names.is_empty() || odd.is_some()) {
            return Err(no_command(&words, settings));
        }
        let name = names.first().map(|name| Name::read(name)).transpose()?;
        if job.exec && name.is_none() {
            let error = Error::new("use --exec", "a group that stays needs a name");
            return Err(error.hint("cgctl new --exec NAME ... -- COMMAND"));
        }
        if let Some(word) = odd {
            return Err(Error::new(
                format_args!("use {}", show(word)),
                "it is no KEY=VALUE, and a name comes first",
            ));
        }
        if let Some(word) = settings.first().filter(|_| no_group) {
            return Err(Error::new(
                format_args!("set {}", show(word)),
                "there is nothing to limit with --no-group",
            ));
        }
        let settings = Setting::parse_all(settings)?;
        Ok(Request { name, parent: place.parent()?, settings, no_group, evacuates: evacuate, job, command })
    }
}

impl Request {
    /// The group stays, for want of a cgctl that it could go with.
    pub fn stays(&self) -> bool {
        self.command.is_empty() || self.job.exec
    }

    /// Where the group may be made in a hierarchy, best first.
    pub fn places(&self, hierarchy: &Hierarchy, all: &Hierarchies) -> Vec<Place> {
        let places = self.parent.places(self.name.as_ref(), hierarchy, all);
        if self.stays() { places.into_iter().map(Place::staying).collect() } else { places }
    }
}

/// The usual slip is a command without the `--` before it.
fn no_command(words: &[OsString], settings: &[OsString]) -> Error {
    let error = Error::new("start", "no command is given: it comes after --");
    let start = match settings.iter().position(|word| !is_setting(word)) {
        Some(at) => words.len() - settings.len() + at,
        None if settings.is_empty() => 0,
        None => words.len(),
    };
    let (before, after) = words.split_at(start);
    let line = |words: &[OsString]| words.iter().map(|word| format!(" {}", show(word))).collect::<String>();
    let command = if after.is_empty() { " COMMAND".to_owned() } else { line(after) };
    error.hint(format_args!("cgctl new{} --{command}", line(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str], command: &[&str]) -> Result<Request> {
        let own = |list: &[&str]| list.iter().map(OsString::from).collect();
        Request::read(Options {
            words: own(words),
            command: own(command),
            place: crate::cli::Where::default(),
            job: JobOptions::default(),
            evacuate: false,
            no_group: false,
        })
    }

    #[test]
    fn a_name_may_come_first() {
        let request = read(&["web", "m=64M"], &["sh", "-c", "m=1"]).unwrap();
        assert_eq!(
            (
                request.name.map(|name| name.to_string()).as_deref(),
                request.settings.len(),
                request.command.len()
            ),
            (Some("web"), 1, 3)
        );
        assert_eq!(read(&["m=64M"], &["sh"]).unwrap().name, None);
        assert!(read(&[], &["sh"]).unwrap().settings.is_empty());
    }

    #[test]
    fn names_are_plain() {
        for name in ["a", "A-1", "0.b_c"] {
            assert!(read(&[name], &["sh"]).is_ok(), "{name}");
        }
        for name in ["a/b", "a/b/c", "/user.slice/@/a", "/a"] {
            assert!(read(&[name], &[]).is_ok(), "{name}");
        }
        let long = "x".repeat(201);
        for name in [
            "",
            ".a",
            "-a",
            "a b",
            "ä",
            "..",
            "cgctl",
            "cgctl.run-1",
            &long,
            "a/",
            "a//b",
            "a/../b",
            "/",
            "/../a",
            "/a/./b",
            "/a/cgctl",
            "cgctl/a",
            "a/cgctl.leaf",
            "caller-1",
        ] {
            assert!(read(&[name], &["sh"]).is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_is_given_once() {
        for words in [
            ["m=1M", "m=2M"],
            ["m=1M", "mem.max=1M"],
            ["memory.high=1", "memory.high=2"],
            ["a.b=x y", "a.b=x y"],
        ] {
            let error = read(&words, &["sh"]).unwrap_err().to_string();
            assert!(error.ends_with("is there already"), "{error}");
        }
        assert!(read(&["io.max=8:0 rbps=1", "io.max=8:16 rbps=1"], &["sh"]).is_ok());
        assert!(read(&["hugetlb.2MB=2M", "hugetlb.1GB=1G"], &["sh"]).is_ok());
        assert!(read(&["hugetlb.2MB=2M", "hugetlb.2M=4M"], &["sh"]).is_err());
    }

    #[test]
    fn a_forgotten_separator_is_shown_in_place() {
        assert!(read(&["web", "m=64M"], &[]).unwrap().command.is_empty());
        let table: [(&[&str], &str); 4] = [
            (&["m=64M", "sh"], "cgctl new m=64M -- sh"),
            (&["web", "m=64M", "sh", "x"], "cgctl new web m=64M -- sh x"),
            (&["m=64M"], "cgctl new m=64M -- COMMAND"),
            (&[], "cgctl new -- COMMAND"),
        ];
        for (words, line) in table {
            let expected = Error::new("start", "no command is given: it comes after --").hint(line);
            assert_eq!(read(words, &[]).unwrap_err(), expected);
        }
    }
}
