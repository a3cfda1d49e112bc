//! The file of the running program, out of reach of those whose root it goes to.
//!
//! In a hostile root the command may be a script of the line `#!/proc/self/exe`: the kernel then starts this very
//! program in there, where its file can be opened by /proc/PID/exe, kept, and written once nobody runs it any more
//! (CVE-2019-5736). So its file must lie on a mount that is read-only, and attached nowhere, so that nobody can make
//! it writable again. There are two ways to that: [`take`] starts the program again from a copy of its mount, and
//! [`OwnMount`] is for a program that leaves the mount namespace behind that it was started in.

use crate::error::{Cannot, Error, Result, tool};
use crate::exec::Environment;
use crate::sys::mount::{RDONLY, clear_attributes, set_attributes};
use nix::fcntl::AtFlags;
use nix::unistd::execveat;
use rustix::fs::{
    Access, CWD, FsWord, MemfdFlags, Mode, OFlags, PROC_SUPER_MAGIC, SealFlags, StatVfsMountFlags,
    StatxAttributes, StatxFlags, accessat, fcntl_add_seals, fcntl_get_seals, fstatfs, fstatvfs, memfd_create,
    open, openat, readlinkat, sendfile, statat, statx,
};
use rustix::io::{Errno, Result as IoResult};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, OpenTreeFlags};
use rustix::mount::{fsconfig_create, fsmount, fsopen, open_tree};
use rustix::process::geteuid;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

const OWN: &str = "/proc/self/exe";
/// linux/magic.h
const RAMFS_MAGIC: FsWord = 0x8584_58f6;
/// linux/magic.h
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Starts this program again, from the beginning and with the same arguments, unless its file is safe already: on a
/// read-only mount, sealed in memory, or not this user's to write. To be called before anything has been changed.
pub fn take() -> Result<()> {
    take_for(&OwnFile::find()?)
}

/// The same for a link whose command cannot have more rights over files than the link itself: where that could not
/// write the file, nor give itself the right to, nothing is done.
pub fn take_if_own() -> Result<()> {
    let file = OwnFile::find()?;
    if file.can_be_written() || file.belongs_to_user() { take_for(&file) } else { Ok(()) }
}

fn take_for(file: &OwnFile) -> Result<()> {
    if file.is_read_only().cannot_with(what)? {
        return name();
    }
    match file.read_only_copy() {
        Ok(copy) => start_again(&copy),
        // Without the right to, or where the file is not of this mount namespace.
        Err(_) if !file.can_be_written() || file.is_sealed() => name(),
        Err(_) => start_again(&file.sealed_copy().cannot_with(|| format!("copy {} into memory", tool()))?),
    }
}

fn what() -> String {
    format!("look at the file of {}", tool())
}

/// The file, as a proc file system shows it: that on /proc, or one that nobody else sees.
struct OwnFile {
    proc: OwnedFd,
}

/// Its name there.
const NAME: &str = "self/exe";

impl OwnFile {
    fn find() -> Result<Self> {
        let proc = open("/proc", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        match proc {
            Ok(proc) if fstatfs(&proc).is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC) => Ok(proc),
            _ => private_proc(),
        }
        .map(|proc| OwnFile { proc })
        .map_err(|_| {
            Error::new(what(), "/proc does not show it").hint("a proc file system must be mounted on /proc")
        })
    }

    fn open(&self, flags: OFlags) -> IoResult<OwnedFd> {
        openat(&self.proc, NAME, flags | OFlags::CLOEXEC, Mode::empty())
    }

    fn is_read_only(&self) -> IoResult<bool> {
        Ok(fstatvfs(self.open(OFlags::PATH)?)?.f_flag.contains(StatVfsMountFlags::RDONLY))
    }

    fn can_be_written(&self) -> bool {
        accessat(&self.proc, NAME, Access::WRITE_OK, rustix::fs::AtFlags::EACCESS).is_ok()
    }

    fn belongs_to_user(&self) -> bool {
        let stat = statat(&self.proc, NAME, rustix::fs::AtFlags::empty());
        stat.is_ok_and(|stat| stat.st_uid == geteuid().as_raw())
    }

    fn read_only_copy(&self) -> IoResult<OwnedFd> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let copy = open_tree(&self.proc, NAME, flags)?;
        set_attributes(copy.as_fd(), RDONLY, false)
            .map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
        Ok(copy)
    }

    fn is_sealed(&self) -> bool {
        let seals = self.open(OFlags::RDONLY).and_then(fcntl_get_seals);
        seals.is_ok_and(|seals| seals.contains(SealFlags::WRITE | SealFlags::SEAL))
    }

    fn sealed_copy(&self) -> IoResult<OwnedFd> {
        let file = self.open(OFlags::RDONLY)?;
        let copy = memfd_create(tool(), MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        while sendfile(&copy, &file, None, usize::MAX >> 33)? > 0 {}
        fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        Ok(copy)
    }
}

fn private_proc() -> IoResult<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

fn start_again(copy: &OwnedFd) -> Result<()> {
    let string = |text: std::ffi::OsString| CString::new(text.into_vec()).map_err(|_| nix::Error::EINVAL);
    let what = || format!("start {} again, from a copy that cannot be written", tool());
    let arguments: Vec<CString> =
        std::env::args_os().map(string).collect::<Result<_, _>>().cannot_with(what)?;
    let environment = Environment::current().strings().cannot_with(what)?;
    let never = execveat(copy, c"", &arguments, &environment, AtFlags::AT_EMPTY_PATH).cannot_with(what)?;
    match never {}
}

/// Started from a descriptor, it would be called by the descriptor's number.
fn name() -> Result<()> {
    let name = CString::new(tool()).unwrap_or_default();
    rustix::thread::set_name(&name).cannot("name this process")
}

/// The mount that the file lies on, in a mount namespace that nobody else shares and whose root is about to be
/// detached. Unlike [`take`] that costs next to nothing.
#[derive(Debug)]
pub struct OwnMount(OwnedFd);

impl OwnMount {
    /// Finds it. `None`: the file is not of this mount namespace, or something on its mount is open for writing, so
    /// that it cannot become read-only; or it may be the initial file system, which cannot be detached.
    pub fn find() -> Option<Self> {
        let file = statx(CWD, OWN, rustix::fs::AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        let mount = root_of(file.stx_mnt_id)?;
        if in_memory(&mount) {
            return None;
        }
        let was_read_only = fstatvfs(&mount).ok()?.f_flag.contains(StatVfsMountFlags::RDONLY);
        set_attributes(mount.as_fd(), RDONLY, false).ok()?;
        if !was_read_only {
            clear_attributes(mount.as_fd(), RDONLY, false).ok()?;
        }
        Some(OwnMount(mount))
    }

    /// Makes it read-only: to be called when all copies of mounts have been made, and just before it is detached.
    /// From then on nobody can change it, whatever his rights: it belongs to no mount namespace.
    pub fn seal(self) -> Result<()> {
        set_attributes(self.0.as_fd(), RDONLY, false)
            .cannot_with(|| format!("protect the file of {}", tool()))
    }
}

/// Of the kind that the kernel's initial file system has.
fn in_memory(mount: &OwnedFd) -> bool {
    fstatfs(mount).is_ok_and(|found| [RAMFS_MAGIC, TMPFS_MAGIC].contains(&found.f_type))
}

/// The directory that the mount with this number begins at: the root, mostly, else one on the way to the file.
fn root_of(mount: u64) -> Option<OwnedFd> {
    let begins_at = |path: &Path| {
        let place = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let stat = statx(&place, "", rustix::fs::AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
        let is_root = stat.stx_mnt_id == mount && stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        is_root.then_some(place)
    };
    begins_at(Path::new("/")).or_else(|| {
        let file = readlinkat(CWD, OWN, Vec::new()).ok()?;
        Path::new(OsStr::from_bytes(file.as_bytes())).ancestors().find_map(begins_at)
    })
}
