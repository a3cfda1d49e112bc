//! What was changed in the root, to be undone when the run fails.

use rustix::fs::{AtFlags, Mode, chmod, unlinkat};
use rustix::io::Result;
use std::ffi::OsString;
use std::os::fd::{AsRawFd, OwnedFd};

/// A change of the root that can be undone.
#[derive(Debug)]
pub enum Made {
    /// A new file, link or directory.
    Entry {
        /// Where.
        parent: OwnedFd,
        /// Its name there.
        name: OsString,
        /// How it is removed, unlinkat(2).
        flags: AtFlags,
    },
    /// Other permission bits.
    Mode {
        /// The file, opened with O_PATH.
        file: OwnedFd,
        /// Those of before.
        mode: Mode,
    },
}

impl Made {
    /// A directory that was made in `parent`.
    pub fn directory(parent: OwnedFd, name: OsString) -> Self {
        Made::Entry { parent, name, flags: AtFlags::REMOVEDIR }
    }

    /// Undoes it; a directory stays if something was put into it.
    pub fn undo(self) {
        let _ = match self {
            Made::Entry { parent, name, flags } => unlinkat(parent, name, flags),
            Made::Mode { file, mode } => set_mode(&file, mode),
        };
    }
}

/// What was changed so far. It is undone, the last first, unless it is told to stay.
#[derive(Debug, Default)]
pub struct Undo(pub Vec<Made>);

impl Undo {
    /// Lets everything stay.
    pub fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.0.drain(..).rev().for_each(Made::undo);
    }
}

/// chmod(2) for a file that is opened with O_PATH, which fchmod(2) does not take.
pub fn set_mode(file: &OwnedFd, mode: Mode) -> Result<()> {
    chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), mode)
}
