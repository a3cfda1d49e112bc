//! Which system calls the command may make: a filter that was compiled elsewhere.

use chain::filter::{LONGEST, SIZE, program};
use chain::sys::seccomp::{Instruction, set_filter};
use chain::text::show;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A program that the kernel runs before each system call.
#[derive(Debug)]
pub struct Filter(Vec<Instruction>);

impl Filter {
    /// From a file of the caller's root, before that is left.
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("use {} as a seccomp filter", show(path));
        let mut bytes = Vec::new();
        let file = File::open(path).cannot_with(what)?;
        file.take((LONGEST * SIZE + 1) as u64).read_to_end(&mut bytes).cannot_with(what)?;
        program(&bytes).map(Filter).map_err(|reason| Error::new(what(), reason))
    }

    /// Holds this process, and what it becomes, to it.
    pub fn load(&self) -> Result<()> {
        set_filter(&self.0, 0).cannot("load the seccomp filter").map_err(|e| {
            e.hint_if(
                Errno::EACCES,
                "without CAP_SYS_ADMIN it takes a target that has given new privileges up",
            )
        })
    }
}
