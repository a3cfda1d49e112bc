//! The small files in the directory of a group.

use chain::Error;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, Result, read as read_fd, write as write_fd};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NOFOLLOW);

/// Opens a directory by its path.
pub fn directory(path: &Path) -> Result<OwnedFd> {
    rustix::fs::open(path, DIRECTORY, Mode::empty())
}

/// Opens a directory in `dir`.
pub fn directory_in(dir: impl AsFd, name: impl rustix::path::Arg) -> Result<OwnedFd> {
    openat(dir, name, DIRECTORY, Mode::empty())
}

/// Opens a file in `dir` to read it again and again.
pub fn open(dir: impl AsFd, name: &str) -> Result<OwnedFd> {
    openat(dir, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// The text of a file in `dir`.
pub fn read(dir: impl AsFd, name: &str) -> Result<String> {
    text(&open(dir, name)?)
}

/// The text of a file by its path.
pub fn read_path(path: impl rustix::path::Arg) -> Result<String> {
    text(&openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The text of a short file that is open, from its start.
pub fn reread(file: &OwnedFd) -> Result<String> {
    let mut buffer = [0; 256];
    let length = rustix::io::pread(file, &mut buffer, 0)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

fn text(file: &OwnedFd) -> Result<String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match read_fd(file, &mut buffer) {
            Ok(0) => return Ok(String::from_utf8_lossy(&text).into_owned()),
            Ok(length) => text.extend_from_slice(&buffer[..length]),
            Err(Errno::INTR) => {}
            Err(e) => return Err(e),
        }
    }
}

/// The processes in the group `dir` itself. A threaded one tells its threads only.
pub fn processes(dir: impl AsFd) -> Vec<i32> {
    let numbers = |text: &str| text.lines().filter_map(|line| line.parse().ok()).collect::<Vec<i32>>();
    match read(&dir, "cgroup.procs") {
        Err(Errno::OPNOTSUPP) => {
            let threads = numbers(&read(&dir, "cgroup.threads").unwrap_or_default());
            threads.into_iter().map(|thread| process_of(thread).unwrap_or(thread)).collect()
        }
        text => numbers(&text.unwrap_or_default()),
    }
}

fn process_of(thread: i32) -> Option<i32> {
    chain::process::Status::read(&thread.to_string()).ok()?.field("Tgid")?.parse().ok()
}

/// Writes `text` to a file in `dir`, in one write(2): the kernel takes each write as a whole setting.
pub fn write(dir: impl AsFd, name: &str, text: &str) -> Result<()> {
    let file = openat(dir, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    loop {
        match write_fd(&file, text.as_bytes()) {
            Err(Errno::INTR) => {}
            other => return other.map(drop),
        }
    }
}

/// The error for what the kernel has refused; `what` follows "cannot".
pub fn cannot(what: impl std::fmt::Display, errno: Errno) -> Error {
    Error::os(what, nix::errno::Errno::from_raw(errno.raw_os_error()))
}

/// The number after `name` in a file of lines `NAME NUMBER`.
pub fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// The number in a file of one word; `None` for `max` too.
pub fn number(dir: impl AsFd, name: &str) -> Option<u64> {
    read(dir, name).ok()?.trim().parse().ok()
}
