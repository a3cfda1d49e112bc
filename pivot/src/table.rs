//! The table of mounts, where something must be known of mounts that are not ours.

use chain::mountinfo::{self, Mount, unescape};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::{self, Errno};
use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The number of the mount that a path below `dir` is on.
pub fn mount_of(dir: impl AsFd, path: &str) -> io::Result<u64> {
    Ok(statx(dir, path, AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id)
}

/// Whether a path is on the mount that all others of the namespace are on, which is its own parent.
pub fn is_initial(path: &str) -> bool {
    let (Ok(id), Ok(table)) = (mount_of(CWD, path), read()) else { return false };
    let mut mounts = table.split(|byte| *byte == b'\n').filter_map(mountinfo::parse);
    mounts.any(|mount| mount.id == id && mount.parent == id)
}

/// The type of the file system that a file is on.
pub fn kind_of(file: BorrowedFd<'_>) -> Option<OsString> {
    let (id, table) = (mount_of(file, "").ok()?, read().ok()?);
    let mut mounts = table.split(|byte| *byte == b'\n').filter_map(mountinfo::parse);
    mounts.find(|mount| mount.id == id).map(|mount| OsString::from_vec(mount.kind.to_vec()))
}

/// Where something is mounted on the mount that `root` is the root of: paths relative to it, none of them empty.
pub fn mounted_on(root: BorrowedFd<'_>) -> io::Result<Vec<PathBuf>> {
    let id = mount_of(root, "")?;
    points(root, |mount| mount.parent == id)
}

/// Where the mount with this number is mounted, as a path relative to the mount that `root` is the root of.
pub fn path_from(root: BorrowedFd<'_>, id: u64) -> io::Result<PathBuf> {
    points(root, |mount| mount.id == id)?.pop().ok_or(Errno::NOENT)
}

fn points(root: BorrowedFd<'_>, wanted: impl Fn(&Mount<'_>) -> bool) -> io::Result<Vec<PathBuf>> {
    let (id, table) = (mount_of(root, "")?, read()?);
    let mounts = || table.split(|byte| *byte == b'\n').filter_map(mountinfo::parse);
    let top = mounts().find(|mount| mount.id == id).map(|mount| unescape(mount.point)).ok_or(Errno::NOENT)?;
    let points = mounts().filter(wanted).map(|mount| unescape(mount.point));
    let below = points.filter_map(|point| point.strip_prefix(&top).ok().map(Path::to_owned));
    Ok(below.filter(|path| !path.as_os_str().is_empty()).collect())
}

/// Where there is no /proc, a new one tells, seen by nobody.
fn read() -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = match openat(CWD, "/proc/self/mountinfo", flags, Mode::empty()) {
        Err(_) => {
            let proc = crate::defaults::PROC.make().map_err(|refusal| refusal.errno)?;
            openat(proc, "self/mountinfo", flags, Mode::empty())?
        }
        opened => opened?,
    };
    let mut text = Vec::new();
    File::from(file).read_to_end(&mut text).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
    Ok(text)
}
