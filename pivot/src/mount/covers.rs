//! What hides a file or a directory.

use crate::defaults::{DEVICES, EMPTY};
use crate::mount::dev::device_of_host;
use crate::mount::{attach_at, copy};
use chain::sys::mount::{NOEXEC, NOSUID, RDONLY, set_attributes};
use chain::{Cannot, Result};
use rustix::io::{self, Errno};
use rustix::path::Arg;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// What hides a file, the null device, and what hides a directory, an empty one. Both are read-only, so that the
/// null device keeps its mode and owner.
#[derive(Debug, Default)]
pub struct Covers {
    file: Cover,
    directory: Cover,
}

/// One mount and its copies: making the first is dear, copying it cheap, and only a mount that has appeared can be
/// copied (before Linux 6.15).
#[derive(Debug, Default)]
struct Cover {
    unused: Option<OwnedFd>,
    used: Option<OwnedFd>,
}

impl Covers {
    /// Takes the null device of `dev`, the tmpfs on /dev.
    pub fn hide_files_with(&mut self, dev: BorrowedFd<'_>) -> Result<()> {
        let null = copy(dev, "null").cannot("take /dev/null")?;
        set_attributes(null.as_fd(), RDONLY | NOSUID | NOEXEC, false).cannot("take /dev/null")?;
        self.file.unused = Some(null);
        Ok(())
    }

    /// Hides the file `path` below `dir`; `false` when there is none. `name` is for the message.
    pub fn hide_file(&mut self, dir: BorrowedFd<'_>, path: impl Arg, name: &str) -> Result<bool> {
        let cover = self.file.take(|| device_of_host(&DEVICES[0]))?;
        self.file.lay(cover, dir, path).cannot_with(|| format!("hide {name}"))
    }

    /// The same for a directory.
    pub fn hide_directory(&mut self, dir: BorrowedFd<'_>, path: impl Arg, name: &str) -> Result<bool> {
        let empty = || EMPTY.make().map_err(|refusal| refusal.error("make an empty directory".to_owned()));
        let cover = self.directory.take(empty)?;
        self.directory.lay(cover, dir, path).cannot_with(|| format!("hide {name}"))
    }
}

impl Cover {
    fn take(&mut self, make: impl Fn() -> Result<OwnedFd>) -> Result<OwnedFd> {
        match (self.unused.take(), &self.used) {
            (Some(unused), _) => Ok(unused),
            (None, Some(used)) => copy(used, "").cannot("copy a mount"),
            (None, None) => make(),
        }
    }

    /// Lays `cover` over `path` below `dir`; `false` when there is no such file, as kernels differ in what they have.
    fn lay(&mut self, cover: OwnedFd, dir: BorrowedFd<'_>, path: impl Arg) -> io::Result<bool> {
        match attach_at(&cover, dir, path) {
            Ok(()) => self.used = Some(cover),
            Err(Errno::NOENT) => {
                self.unused = Some(cover);
                return Ok(false);
            }
            Err(e) => return Err(e),
        }
        Ok(true)
    }
}
