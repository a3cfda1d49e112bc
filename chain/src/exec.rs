//! Becoming the next program of the line.

use crate::error::{Error, NOT_FOUND, NOT_RUNNABLE, Result};
use crate::interpreter;
use crate::text::show;
use nix::errno::Errno;
use nix::unistd;
use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Where programs are looked for when PATH is not set.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Variables for the next program.
#[derive(Debug, Clone, Default)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// This process's own.
    pub fn current() -> Self {
        Environment(std::env::vars_os().collect())
    }

    /// From `NAME=VALUE` strings that zero bytes end, as /proc/PID/environ has them; others are left out.
    pub fn parse(block: &[u8]) -> Self {
        let pair = |text: &[u8]| {
            let sign = text.iter().position(|byte| *byte == b'=')?;
            let string = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((string(&text[..sign]), string(&text[sign + 1..])))
        };
        Environment(block.split(|byte| *byte == 0).filter_map(pair).collect())
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// Sets `name`, or replaces it.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Removes `name`, if it is there.
    pub fn remove(&mut self, name: impl AsRef<OsStr>) {
        self.0.retain(|(key, _)| key != name.as_ref());
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &OsStr> {
        self.0.iter().map(|(name, _)| name.as_os_str())
    }

    /// Removes every variable but those with these names.
    pub fn keep(&mut self, names: &[OsString]) {
        self.0.retain(|(key, _)| names.contains(key));
    }

    pub(crate) fn strings(&self) -> Result<Vec<CString>, Errno> {
        let join = |(name, value): &(OsString, OsString)| [name.as_bytes(), b"=", value.as_bytes()].concat();
        self.0.iter().map(|pair| CString::new(join(pair)).map_err(|_| Errno::EINVAL)).collect()
    }
}

/// Becomes `command` (never empty) with this process's environment, untouched. Returns only to say why not.
pub fn exec(command: &[OsString]) -> Error {
    run(&command[0], command, None)
}

/// Becomes `command` (never empty) with the given environment, whose PATH is searched.
pub fn exec_with(command: &[OsString], environment: &Environment) -> Error {
    run(&command[0], command, Some(environment))
}

/// The same, of the program `program`, which is told `command` as its arguments, the first being its name.
pub fn exec_as(program: &OsStr, command: &[OsString], environment: &Environment) -> Error {
    run(program, command, Some(environment))
}

/// Becomes `shell` as login(1) starts it: under a name that begins with `-`.
pub fn exec_login(shell: &OsStr, environment: &Environment) -> Error {
    let mut name = OsString::from("-");
    name.push(Path::new(shell).file_name().unwrap_or(shell));
    run(shell, &[name], Some(environment))
}

/// Where `program` would be found with this PATH: the file itself when the name has a slash.
pub fn find(program: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    candidates(program, path).into_iter().find(|file| unistd::access(file, unistd::AccessFlags::X_OK).is_ok())
}

/// Status 127: the program is not there.
pub fn not_found(program: &OsStr) -> Error {
    let why = if has_slash(program) { "no such file" } else { "not found in PATH" };
    Error::new(format_args!("run {}", show(program)), why).code(NOT_FOUND)
}

fn run(program: &OsStr, command: &[OsString], environment: Option<&Environment>) -> Error {
    let path = match environment {
        Some(environment) => environment.get("PATH").map(OsStr::to_owned),
        None => std::env::var_os("PATH"),
    };
    let mut denied = None;
    for file in candidates(program, path.as_deref()) {
        match start(&file, command, environment) {
            Ok(never) => match never {},
            Err(Errno::ENOENT | Errno::ENOTDIR) if file.symlink_metadata().is_err() => {}
            Err(Errno::EACCES) if !has_slash(program) => denied = Some(file),
            Err(errno) => return not_runnable(&file, errno),
        }
    }
    denied.map_or_else(|| not_found(program), |file| not_runnable(&file, Errno::EACCES))
}

fn start(file: &Path, command: &[OsString], environment: Option<&Environment>) -> Result<Infallible, Errno> {
    let string = |arg: &OsStr| CString::new(arg.as_bytes()).map_err(|_| Errno::EINVAL);
    let file = string(file.as_os_str())?;
    let args = command.iter().map(|arg| string(arg)).collect::<Result<Vec<_>, _>>()?;
    match environment {
        None => unistd::execv(&file, &args),
        Some(environment) => unistd::execve(&file, &args, &environment.strings()?),
    }
}

fn candidates(program: &OsStr, path: Option<&OsStr>) -> Vec<PathBuf> {
    if program.is_empty() {
        return Vec::new();
    }
    if has_slash(program) {
        return vec![program.into()];
    }
    let path = path.unwrap_or(OsStr::new(DEFAULT_PATH)).as_bytes();
    path.split(|byte| *byte == b':').map(|dir| in_dir(dir, program)).collect()
}

/// An empty entry of PATH is the working directory, POSIX XBD 8.3.
fn in_dir(dir: &[u8], program: &OsStr) -> PathBuf {
    let dir = if dir.is_empty() { b"." } else { dir };
    PathBuf::from(OsString::from_vec(dir.to_vec())).join(program)
}

fn has_slash(program: &OsStr) -> bool {
    program.as_bytes().contains(&b'/')
}

fn not_runnable(file: &Path, errno: Errno) -> Error {
    let what = format!("run {}", show(file));
    let error = match (errno, interpreter::of(file)) {
        (Errno::ENOENT, Some(needed)) => {
            Error::new(what, format_args!("{}, which it needs, is missing", show(&needed)))
                .hint("put that file, and the libraries of the program, into the root in use")
        }
        (Errno::ENOENT, None) => Error::new(what, "it is a link to a missing file"),
        (Errno::EACCES, _) if file.is_dir() => Error::new(what, "it is a directory"),
        (Errno::EACCES, _) => {
            Error::os(what, errno).hint("its execute bit, a directory above it, or a noexec mount forbids it")
        }
        (Errno::ENOEXEC, _) => Error::os(what, errno)
            .hint("it is neither a program for this machine nor a script with a #! line; a shell script runs as `sh FILE`"),
        _ => Error::os(what, errno),
    };
    error.code(NOT_RUNNABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_searched_as_posix_says() {
        let files = candidates(OsStr::new("x"), Some(OsStr::new("/a::/b")));
        assert_eq!(files, [Path::new("/a/x"), Path::new("./x"), Path::new("/b/x")]);
        assert_eq!(candidates(OsStr::new("./x"), Some(OsStr::new("/a"))), [Path::new("./x")]);
        assert!(candidates(OsStr::new(""), None).is_empty());
    }

    #[test]
    fn the_statuses_are_those_of_the_shell() {
        assert_eq!(exec(&["/".into()]).exit_status(), NOT_RUNNABLE);
        assert_eq!(exec(&["/etc/passwd".into()]).exit_status(), NOT_RUNNABLE);
        assert_eq!(exec(&["no-such-program".into()]).exit_status(), NOT_FOUND);
        assert_eq!(exec(&["/no/such/program".into()]).exit_status(), NOT_FOUND);
        assert_eq!(exec(&["".into()]).exit_status(), NOT_FOUND);
    }

    #[test]
    fn a_block_of_variables_is_read_as_it_is() {
        let environment = Environment::parse(b"A=1\0B=\0junk\0C=x=\xff\0\0");
        let strings = environment.strings().unwrap();
        assert_eq!(
            strings.iter().map(|text| text.to_bytes()).collect::<Vec<_>>(),
            [&b"A=1"[..], b"B=", b"C=x=\xff"]
        );
        assert!(Environment::parse(b"").strings().unwrap().is_empty());
    }

    #[test]
    fn a_variable_is_set_once() {
        let mut environment = Environment::default();
        environment.set("A", "1");
        environment.set("A", "2");
        assert_eq!(environment.strings().unwrap(), [CString::new("A=2").unwrap()]);
        environment.remove("A");
        assert!(environment.get("A").is_none());
    }
}
