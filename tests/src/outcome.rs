//! What a command did, with assertions that show all of it when they fail.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// An ended command.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The command line.
    pub what: String,
    /// The exit status; minus n when signal n killed the process itself.
    pub status: i32,
    /// All of standard output.
    pub out: Vec<u8>,
    /// All of standard error.
    pub err: Vec<u8>,
}

impl Outcome {
    /// Puts the parts together.
    pub fn new(what: &str, status: ExitStatus, out: Vec<u8>, err: Vec<u8>) -> Self {
        let status = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
        Outcome { what: what.to_owned(), status, out, err }
    }

    /// Standard output as text, without the last line's end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end_matches('\n').to_owned()
    }

    /// Standard error as text.
    pub fn talk(&self) -> String {
        String::from_utf8_lossy(&self.err).into_owned()
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|e| panic!("not JSON ({e}):\n{self}"))
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn is(self, status: i32) -> Self {
        assert_eq!(self.status, status, "wrong status of\n{self}");
        self
    }

    /// Asserts that nothing was said on standard error.
    #[track_caller]
    pub fn quiet(self) -> Self {
        assert!(self.err.is_empty(), "this should have been silent:\n{self}");
        self
    }

    /// Asserts that `part` was said on standard error.
    #[track_caller]
    pub fn says(self, part: &str) -> Self {
        assert!(self.talk().contains(part), "{part:?} is not said by\n{self}");
        self
    }

    /// Asserts the shape of error messages: each line begins with the name of a link, the first is
    /// "tool: cannot VERB OBJECT: REASON", the others hints; no debug output and no control characters.
    #[track_caller]
    pub fn complains_as(self, tool: &str) -> Self {
        let talk = self.talk();
        let cannot = format!("{tool}: cannot ");
        let lines: Vec<&str> = talk.lines().collect();
        assert!(lines.first().is_some_and(|line| line.starts_with(&cannot)), "not {cannot:?} first:\n{self}");
        assert!(lines[0][cannot.len()..].contains(": "), "no reason given:\n{self}");
        assert!(
            lines[1..].iter().all(|line| line.starts_with(&format!("{tool}: hint: "))),
            "more than hints:\n{self}"
        );
        assert!(lines.len() <= 2, "more than one error and one hint:\n{self}");
        for noise in ["(os error", "Error", "panicked", "backtrace", "Os {", "Some(", "::"] {
            assert!(!talk.contains(noise), "{noise:?} in\n{self}");
        }
        assert!(talk.chars().all(|c| c == '\n' || !c.is_control()), "control characters in\n{self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { what, status, .. } = self;
        write!(f, "  $ {what}\n  status {status}\n  stdout: {:?}\n  stderr: {:?}", self.text(), self.talk())
    }
}
