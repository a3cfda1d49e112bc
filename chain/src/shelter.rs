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
    Access, CWD, MemfdFlags, Mode, OFlags, PROC_SUPER_MAGIC, SealFlags, StatVfsMountFlags, StatxAttributes,
    StatxFlags, accessat, fcntl_add_seals, fcntl_get_seals, fstat, fstatfs, fstatvfs, memfd_create, open,
    openat, readlinkat, sendfile, statx,
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

/// Starts this program again, from the beginning and with the same arguments, unless its file is safe already: on a
/// read-only mount, sealed in memory, or not this user's to write. To be called before anything has been changed.
pub fn take() -> Result<()> {
    take_for(&own_file()?)
}

/// The same for a link whose command cannot have more rights over files than the link itself: where that could not
/// write the file, nor give itself the right to, nothing is done.
pub fn take_if_own() -> Result<()> {
    let own = own_file()?;
    if can_be_written(&own) || fstat(&own).is_ok_and(|stat| stat.st_uid == geteuid().as_raw()) {
        take_for(&own)
    } else {
        Ok(())
    }
}

fn take_for(own: &OwnedFd) -> Result<()> {
    let file_system = fstatvfs(own).cannot_with(what)?;
    if file_system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return name();
    }
    match read_only_copy(own) {
        Ok(copy) => start_again(&copy),
        // Without the right to, or where the file is not of this mount namespace.
        Err(_) if !can_be_written(own) || is_sealed(own) => name(),
        Err(_) => start_again(&sealed_copy(own).cannot_with(|| format!("copy {} into memory", tool()))?),
    }
}

fn what() -> String {
    format!("look at the file of {}", tool())
}

/// The file (O_PATH), which only proc shows: that on /proc, or one that nobody else sees.
fn own_file() -> Result<OwnedFd> {
    let proc = open("/proc", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
    let proc = match proc {
        Ok(proc) if fstatfs(&proc).is_ok_and(|found| found.f_type == PROC_SUPER_MAGIC) => proc,
        _ => private_proc().map_err(|_| {
            Error::new(what(), "/proc does not show it").hint("a proc file system must be mounted on /proc")
        })?,
    };
    openat(proc, "self/exe", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).cannot_with(what)
}

fn private_proc() -> IoResult<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}

fn read_only_copy(own: &OwnedFd) -> IoResult<OwnedFd> {
    let flags =
        OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_EMPTY_PATH;
    let copy = open_tree(own, "", flags)?;
    set_attributes(copy.as_fd(), RDONLY, false).map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
    Ok(copy)
}

fn can_be_written(own: &OwnedFd) -> bool {
    let flags = rustix::fs::AtFlags::EACCESS | rustix::fs::AtFlags::EMPTY_PATH;
    accessat(own, "", Access::WRITE_OK, flags).is_ok()
}

fn readable(own: &OwnedFd) -> IoResult<OwnedFd> {
    use std::os::fd::AsRawFd;
    openat(CWD, format!("/proc/self/fd/{}", own.as_raw_fd()), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

fn is_sealed(own: &OwnedFd) -> bool {
    let seals = readable(own).and_then(fcntl_get_seals);
    seals.is_ok_and(|seals| seals.contains(SealFlags::WRITE | SealFlags::SEAL))
}

fn sealed_copy(own: &OwnedFd) -> IoResult<OwnedFd> {
    let file = readable(own)?;
    let copy = memfd_create(tool(), MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    while sendfile(&copy, &file, None, usize::MAX >> 33)? > 0 {}
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(copy)
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
    /// that it cannot become read-only.
    pub fn find() -> Option<Self> {
        let file = statx(CWD, OWN, rustix::fs::AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        let mount = root_of(file.stx_mnt_id)?;
        let was_read_only = fstatvfs(&mount).ok()?.f_flag.contains(StatVfsMountFlags::RDONLY);
        set_attributes(mount.as_fd(), RDONLY, false).ok()?;
        if !was_read_only {
            clear_attributes(mount.as_fd(), RDONLY, false).ok()?;
        }
        Some(OwnMount(mount))
    }

    /// Makes it read-only: to be called when all copies of mounts have been made, and just before it is detached.
    /// From then on nobody can change it, whatever his rights: it belongs to no mount namespace.
    pub fn seal(&self) -> Result<()> {
        set_attributes(self.0.as_fd(), RDONLY, false)
            .cannot_with(|| format!("protect the file of {}", tool()))
    }
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
