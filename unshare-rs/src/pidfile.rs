//! The file that tells the pid of the command to others.

use chain::replace::replace;
use chain::text::show;
use chain::{Cannot, Result};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};

/// Writes it so that a reader finds nothing or the whole number; removed when dropped.
pub struct PidFile(Option<PathBuf>);

impl PidFile {
    /// `file`, where one was asked for, with `pid`.
    pub fn write(file: Option<&Path>, pid: Pid) -> Result<Self> {
        let Some(file) = file else { return Ok(PidFile(None)) };
        let what = || format!("write the pid file {}", show(file));
        replace(file, format!("{pid}\n").as_bytes()).cannot_with(what)?;
        Ok(PidFile(Some(file.to_owned())))
    }

    /// Leaves it where it is.
    pub fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            let _ = std::fs::remove_file(file);
        }
    }
}
