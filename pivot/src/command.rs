//! Becoming the command.

use crate::plan::Program;
use chain::error::NOT_FOUND;
use chain::exec::{exec_as, exec_with, find};
use chain::sys::fd::is_open;
use chain::text::show;
use chain::user::database::Account;
use chain::{Error, Result};
use std::path::{Path, PathBuf};

/// The command, and where the old root has it.
#[derive(Debug)]
pub struct Command {
    program: Program,
    outside: Option<PathBuf>,
    /// It was probably meant to be ROOT.
    is_root: bool,
}

impl Command {
    /// Notes what is only known before the switch. Errors: a descriptor to keep that is not open.
    pub fn new(program: Program) -> Result<Self> {
        if let Some(fd) = program.keep.iter().find(|fd| !is_open(**fd)) {
            return Err(Error::new(format_args!("keep descriptor {fd}"), "it is not open"));
        }
        let outside = find(&program.line[0], program.given.environment.get("PATH"));
        let is_root = program.is_first && Path::new(&program.line[0]).is_dir();
        Ok(Command { program, outside, is_root })
    }

    /// Becomes the command, in `directory`. Returns only to say why not.
    pub fn run(mut self, directory: &Path) -> Error {
        if self.program.pwd {
            self.program.given.environment.set("PWD", directory);
        }
        let error = self.exec();
        if error.exit_status() == NOT_FOUND { self.but_outside(error) } else { error }
    }

    fn exec(&mut self) -> Error {
        let Program { line, argv0, given, .. } = &mut self.program;
        match argv0.take() {
            None => exec_with(line, &given.environment),
            Some(name) => {
                let program = std::mem::replace(&mut line[0], name);
                exec_as(&program, line, &given.environment)
            }
        }
    }

    /// Whether its variables are all new and HOME is not among them.
    pub fn lacks_home(&self) -> bool {
        self.program.given.is_clear && !self.program.given.names("HOME")
    }

    /// Tells the command whom it runs as.
    pub fn tell_account(&mut self, account: &Account) {
        self.program.given.tell_account(account);
    }

    fn but_outside(&self, error: Error) -> Error {
        let name = show(&self.program.line[0]);
        match &self.outside {
            _ if self.is_root => {
                error.hint(format_args!("with --layer there is no ROOT: {name} is taken for CMD"))
            }
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
