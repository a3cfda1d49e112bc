//! The one error type: what could not be done, why, what would help, and the exit status.

use crate::text;
use nix::errno::Errno;
use std::fmt;
use std::io;
use std::sync::OnceLock;

/// The link itself failed or was misused.
pub const FAILED: u8 = 125;
/// The command was found but could not be run.
pub const NOT_RUNNABLE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;

/// What a fallible step of a link gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One line for the user, and at most one line of advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    hint: Option<String>,
    code: u8,
    errno: Option<Errno>,
}

impl Error {
    /// An error of the link's own finding: `what` follows "cannot", `why` is the reason.
    pub fn new(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Error { message: format!("cannot {what}: {why}"), hint: None, code: FAILED, errno: None }
    }

    /// An error that the kernel gave.
    pub fn os(what: impl fmt::Display, errno: Errno) -> Self {
        Error { errno: Some(errno), ..Error::new(what, errno.desc()) }
    }

    /// An error that the kernel gave with a reason of its own, which says more than the number.
    pub fn os_because(what: impl fmt::Display, errno: Errno, why: impl fmt::Display) -> Self {
        Error { errno: Some(errno), ..Error::new(what, why) }
    }

    /// Adds the cure, shown on a line of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Adds the cure for `errno`, when that was the reason.
    #[must_use]
    pub fn hint_if(self, errno: Errno, hint: impl fmt::Display) -> Self {
        if self.errno == Some(errno) { self.hint(hint) } else { self }
    }

    /// Sets the exit status; 125 otherwise.
    #[must_use]
    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// The exit status that the error asks for.
    pub fn exit_status(&self) -> u8 {
        self.code
    }

    /// What the kernel said, where it was the kernel.
    pub fn errno(&self) -> Option<Errno> {
        self.errno
    }

    /// Prints the error on standard error and gives its exit status.
    pub fn report(&self) -> u8 {
        say(&self.message);
        if let Some(hint) = self.hint.as_deref().or_else(|| self.general_hint()) {
            say(&format!("hint: {hint}"));
        }
        self.code
    }

    /// What is true of an errno wherever it comes from.
    fn general_hint(&self) -> Option<&'static str> {
        (self.errno == Some(Errno::ENOSYS)).then_some(
            "this kernel is older than Linux 5.12, or the seccomp filter of an outer container hides a system call",
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Turns what a system call gave into an [`Error`]; `what` follows the word "cannot".
pub trait Cannot<T> {
    /// For a fixed text.
    fn cannot(self, what: &str) -> Result<T>;
    /// For a text that is only made when it is needed.
    fn cannot_with(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<io::Error>> Cannot<T> for std::result::Result<T, E> {
    fn cannot(self, what: &str) -> Result<T> {
        self.cannot_with(|| what.to_owned())
    }

    fn cannot_with(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| {
            let e: io::Error = e.into();
            match e.raw_os_error() {
                Some(errno) => Error::os(what(), Errno::from_raw(errno)),
                None => Error::new(what(), e),
            }
        })
    }
}

static TOOL: OnceLock<&'static str> = OnceLock::new();

/// Names the program for the messages to come; the first name stays.
pub fn set_tool(name: &'static str) {
    let _ = TOOL.set(name);
}

/// The name of the running link.
pub fn tool() -> &'static str {
    TOOL.get().copied().unwrap_or("chain")
}

/// One line on standard error under the tool's name, control characters escaped, in one write(2).
///
/// A closed or full standard error leaves nobody to tell, so the failure is dropped.
pub fn say(message: &str) {
    let line = format!("{}: {}\n", tool(), text::escape(message));
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_error_reads_as_a_sentence_without_its_number() {
        let e: Result<()> = Err(io::Error::from_raw_os_error(1)).cannot("create namespaces");
        assert_eq!(e.unwrap_err().to_string(), "cannot create namespaces: Operation not permitted");
    }

    #[test]
    fn a_hint_is_kept_for_its_errno_only() {
        let e = Error::os("x", Errno::EPERM).hint_if(Errno::ENOENT, "never").hint_if(Errno::EPERM, "yes");
        assert_eq!(e.hint.as_deref(), Some("yes"));
    }
}
