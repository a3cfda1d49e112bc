//! Becoming the command.

use crate::plan::Program;
use crate::seccomp::Filter;
use chain::error::NOT_FOUND;
use chain::exec::{exec_with, find};
use chain::sys::fd::{close_from_3_except, is_open};
use chain::text::show;
use chain::{Cannot, Error, Result};
use std::path::{Path, PathBuf};

/// The command, and where the old root has it.
#[derive(Debug)]
pub struct Command {
    program: Program,
    outside: Option<PathBuf>,
}

impl Command {
    /// Notes what is only known before the switch. Errors: a descriptor to keep that is not open.
    pub fn new(program: Program) -> Result<Self> {
        if let Some(fd) = program.keep.iter().find(|fd| !is_open(**fd)) {
            return Err(Error::new(format_args!("keep descriptor {fd}"), "it is not open"));
        }
        let outside = find(&program.line[0], program.environment.get("PATH"));
        Ok(Command { program, outside })
    }

    /// Becomes the command, in `directory`. The descriptors that this program was given are closed before the
    /// command is even looked up: a link in the new root could lead through /proc/self/fd to the old one.
    pub fn run(mut self, directory: &Path, filter: Option<&Filter>) -> Error {
        if let Err(e) = close_from_3_except(&self.program.keep).cannot("close descriptors") {
            return e;
        }
        if self.program.pwd {
            self.program.environment.set("PWD", directory);
        }
        if let Some(Err(e)) = filter.map(Filter::load) {
            return e;
        }
        let error = exec_with(&self.program.line, &self.program.environment);
        if error.exit_status() == NOT_FOUND { self.but_outside(error) } else { error }
    }

    fn but_outside(&self, error: Error) -> Error {
        let name = show(&self.program.line[0]);
        match &self.outside {
            None => error,
            Some(file) if show(file) == name => {
                error.hint(format_args!("{name} exists outside, but not inside the new root"))
            }
            Some(file) => {
                let file = show(file);
                error.hint(format_args!("{name} exists outside, as {file}, but not inside the new root"))
            }
        }
    }
}
