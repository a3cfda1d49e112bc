//! The variables of the command.

use chain::exec::{DEFAULT_PATH, Environment};
use chain::text::show;
use chain::user::database::Account;
use chain::{Cannot, Error, Result, fresh, resolver};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What docker tells a program of its terminal.
const TERM: &str = "xterm";

/// What was asked for.
#[derive(Debug, Default, Clone)]
pub struct Variables {
    /// None of the caller's, or all; what confinement wants otherwise.
    pub clear: Option<bool>,
    /// In order.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This value.
    Set(OsString, OsString),
    /// That of the caller, if it has one.
    Inherit(OsString),
    /// None.
    Unset(OsString),
    /// One change for each line of the file.
    File(PathBuf),
}

/// The variables, and which of them may still change.
#[derive(Debug)]
pub struct Given {
    /// All of them.
    pub environment: Environment,
    /// Those that options have named.
    named: Vec<OsString>,
    /// None is the caller's.
    pub is_clear: bool,
}

impl Variables {
    /// Works the changes out, and reads the files. With `docker` a new environment is docker's, else only PATH;
    /// `terminal` tells whether the command has one. Errors: a file that cannot be read, or a line in it that makes no sense.
    pub fn resolve(self, docker: bool, terminal: impl FnOnce() -> bool) -> Result<Given> {
        let is_clear = self.clear.unwrap_or(docker);
        let environment = if is_clear { new(docker && terminal()) } else { of_caller() };
        let mut given = Given { environment, named: Vec::new(), is_clear };
        self.changes.into_iter().try_for_each(|change| given.change(change))?;
        Ok(given)
    }
}

fn new(terminal: bool) -> Environment {
    let mut environment = Environment::default();
    environment.set("PATH", DEFAULT_PATH);
    if terminal {
        environment.set("TERM", std::env::var_os("TERM").unwrap_or_else(|| TERM.into()));
    }
    environment
}

fn of_caller() -> Environment {
    let mut environment = Environment::current();
    environment.remove("OLDPWD");
    for used_up in [fresh::VARIABLE, resolver::HOSTS, resolver::RESOLV_CONF] {
        environment.remove(used_up);
    }
    environment
}

impl Given {
    fn change(&mut self, change: Change) -> Result<()> {
        match change {
            Change::Set(name, value) => {
                self.environment.set(&name, value);
                self.named.push(name);
            }
            Change::Inherit(name) => {
                if let Some(value) = std::env::var_os(&name) {
                    self.environment.set(&name, value);
                    self.named.push(name);
                }
            }
            Change::Unset(name) => {
                self.environment.remove(&name);
                self.named.push(name);
            }
            Change::File(file) => {
                return read(&file)?.into_iter().try_for_each(|change| self.change(change));
            }
        }
        Ok(())
    }

    /// Whether an option has said what is to be of `name`.
    pub fn names(&self, name: &str) -> bool {
        self.named.iter().any(|named| named == name)
    }

    /// Tells the command whom it runs as, where no option has said something else.
    pub fn tell_account(&mut self, account: &Account) {
        let (home, name) = (Some(account.home.as_os_str()), account.name.as_deref());
        let told = if self.is_clear {
            &[("HOME", home)][..]
        } else {
            &[("HOME", home), ("USER", name), ("LOGNAME", name)]
        };
        for (variable, value) in told {
            match value {
                _ if self.names(variable) => {}
                Some(value) => self.environment.set(variable, value),
                None => self.environment.remove(variable),
            }
        }
    }
}

/// Whether it can be a variable's name: environ(7).
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'=') && !name.contains(&0)
}

/// Docker's format: NAME=VALUE with all that follows the sign, or NAME alone; `#` begins a comment.
fn read(file: &Path) -> Result<Vec<Change>> {
    let text = std::fs::read(file).cannot_with(|| format!("read variables from {}", show(file)))?;
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
    let lines = text.split(|byte| *byte == b'\n').zip(1..);
    lines
        .filter_map(|(text, number)| {
            let what = || format!("use line {number} of {}", show(file));
            line(text).transpose().map(|read| read.map_err(|why| Error::new(what(), why)))
        })
        .collect()
}

fn line(text: &[u8]) -> Result<Option<Change>, &'static str> {
    let text = text.strip_suffix(b"\r").unwrap_or(text).trim_ascii_start();
    let sign = text.iter().position(|byte| *byte == b'=');
    let string = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    match (text, &text[..sign.unwrap_or(text.len())]) {
        ([] | [b'#', ..], _) => Ok(None),
        (text, _) if text.contains(&0) => Err("it has a zero byte in it"),
        (_, []) => Err("the name is empty"),
        (_, name) if name.iter().any(u8::is_ascii_whitespace) => Err("the name has white space in it"),
        (_, name) => Ok(Some(match sign {
            Some(at) => Change::Set(string(name), string(&text[at + 1..])),
            None => Change::Inherit(string(name)),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_file_are_read_as_docker_reads_them() {
        let set = |name: &str, value: &str| Ok(Some(Change::Set(name.into(), value.into())));
        let rows: [(&[u8], _); 12] = [
            (b"", Ok(None)),
            (b"  \t", Ok(None)),
            (b"# A=1", Ok(None)),
            (b"  # A=1", Ok(None)),
            (b"A=1", set("A", "1")),
            (b"  A=1\r", set("A", "1")),
            (b"A= \"b\" # c ", set("A", " \"b\" # c ")),
            (b"A=", set("A", "")),
            (b"A", Ok(Some(Change::Inherit("A".into())))),
            (b"=1", Err("the name is empty")),
            (b"export A=1", Err("the name has white space in it")),
            (b"A=\0", Err("it has a zero byte in it")),
        ];
        for (text, expected) in rows {
            assert_eq!(line(text), expected, "{}", text.escape_ascii());
        }
    }
}
