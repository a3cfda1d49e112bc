//! Files that exist in memory only, to be shown in the root.

use crate::defaults::FILES;
use crate::mount::{attach, copy};
use crate::plan::Mount;
use chain::sys::fd::duplicate;
use chain::sys::mount::{RDONLY, set_attributes};
use chain::{Cannot, Error, Result};
use rustix::fs::{CWD, Gid, Mode, OFlags, Uid, fchmod, fchown, openat};
use rustix::mount::{UnmountFlags, unmount};
use rustix::process::fchdir;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};

/// More than any file of settings has.
const MAX: u64 = 16 << 20;

/// What can be read from the descriptor of this number.
pub fn content_of(fd: u32, mount: &Mount) -> Result<Vec<u8>> {
    let file = File::from(duplicate(fd).cannot_with(|| mount.what())?);
    let mut content = Vec::new();
    let length = file.take(MAX + 1).read_to_end(&mut content).cannot_with(|| mount.what())?;
    if length as u64 > MAX {
        return Err(Error::new(mount.what(), format_args!("descriptor {fd} gives more than 16 MiB")));
    }
    Ok(content)
}

/// The file system in memory that holds them. What is in it can be copied only where it is mounted (before Linux
/// 6.15), so it lies on the old root meanwhile, where nobody looks.
#[derive(Debug, Default)]
pub struct Files {
    tmpfs: Option<OwnedFd>,
    count: usize,
}

impl Files {
    /// A mount of a new file, seen by nobody yet.
    pub fn make(&mut self, mount: &Mount, content: &[u8]) -> Result<OwnedFd> {
        let tmpfs = match self.tmpfs.take() {
            None => appear().cannot_with(|| mount.what())?,
            Some(tmpfs) => tmpfs,
        };
        let tmpfs = self.tmpfs.insert(tmpfs);
        self.count += 1;
        let name = self.count.to_string();
        write(tmpfs, &name, mount, content).cannot_with(|| mount.what())?;
        let file = copy(&*tmpfs, name.as_str()).cannot_with(|| mount.what())?;
        if mount.options.set & RDONLY != 0 {
            set_attributes(file.as_fd(), RDONLY, false).cannot_with(|| mount.what())?;
        }
        Ok(file)
    }

    /// Takes the file system from the old root; the files stay. Nothing may lie on the old root when it is detached.
    pub fn vanish(self) -> Result<()> {
        let Some(tmpfs) = self.tmpfs else { return Ok(()) };
        fchdir(tmpfs).and_then(|()| unmount(".", UnmountFlags::DETACH)).cannot("put files in memory aside")
    }
}

fn appear() -> std::io::Result<OwnedFd> {
    let tmpfs = FILES.make().map_err(|refusal| refusal.errno)?;
    let root = openat(CWD, "/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    attach(&tmpfs, root)?;
    Ok(tmpfs)
}

fn write(dir: &OwnedFd, name: &str, mount: &Mount, content: &[u8]) -> std::io::Result<()> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = File::from(openat(dir, name, flags, Mode::from(0o600))?);
    file.write_all(content)?;
    let number = |name, radix| mount.options.number(name, radix);
    fchown(&file, number("uid", 10).map(Uid::from_raw), number("gid", 10).map(Gid::from_raw))?;
    fchmod(&file, Mode::from_raw_mode(number("mode", 8).unwrap_or(0o644)))?;
    Ok(())
}
