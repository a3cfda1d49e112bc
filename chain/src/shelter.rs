//! The file of the running program, out of reach of those whose root it goes to.
//!
//! In a hostile root the command may be a script of the line `#!/proc/self/exe`: the kernel then starts this very
//! program in there, where its file can be opened by /proc/PID/exe, kept, and written once nobody runs it any more
//! (CVE-2019-5736). So it runs from a copy of its mount that is read-only, and attached nowhere, so that nobody can
//! make it writable again.

use crate::error::{Cannot, Error, Result, tool};
use crate::exec::Environment;
use nix::fcntl::AtFlags;
use nix::unistd::execveat;
use rustix::fs::{
    Access, CWD, MemfdFlags, Mode, OFlags, PROC_SUPER_MAGIC, SealFlags, StatVfsMountFlags, accessat,
    fcntl_add_seals, fcntl_get_seals, memfd_create, open, sendfile, statfs, statvfs,
};
use rustix::io::{Errno, Result as IoResult};
use rustix::mount::{OpenTreeFlags, open_tree};
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

const OWN: &str = "/proc/self/exe";

/// Starts this program again, from the beginning and with the same arguments, unless its file is safe already: on a
/// read-only mount, sealed in memory, or not this user's to write. To be called before anything has been changed.
pub fn take() -> Result<()> {
    let what = || format!("look at the file of {}", tool());
    let hint = "a proc file system must be mounted on /proc";
    if !statfs("/proc").is_ok_and(|proc| proc.f_type == PROC_SUPER_MAGIC) {
        return Err(Error::new(what(), "/proc does not show it").hint(hint));
    }
    let file_system = statvfs(OWN).cannot_with(what).map_err(|e| e.hint_if(nix::Error::ENOENT, hint))?;
    if file_system.f_flag.contains(StatVfsMountFlags::RDONLY) {
        return name();
    }
    match read_only_copy() {
        Ok(copy) => start_again(&copy),
        // Without the right to, or where the file is not of this mount namespace.
        Err(_) if !can_be_written() || is_sealed() => name(),
        Err(_) => start_again(&sealed_copy().cannot_with(|| format!("copy {} into memory", tool()))?),
    }
}

fn read_only_copy() -> IoResult<OwnedFd> {
    let copy = open_tree(CWD, OWN, OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC)?;
    crate::sys::mount::set_attributes(copy.as_fd(), crate::sys::mount::RDONLY, false)
        .map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
    Ok(copy)
}

fn can_be_written() -> bool {
    accessat(CWD, OWN, Access::WRITE_OK, rustix::fs::AtFlags::EACCESS).is_ok()
}

fn own_file() -> IoResult<OwnedFd> {
    open(OWN, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

fn is_sealed() -> bool {
    let seals = own_file().and_then(fcntl_get_seals);
    seals.is_ok_and(|seals| seals.contains(SealFlags::WRITE | SealFlags::SEAL))
}

fn sealed_copy() -> IoResult<OwnedFd> {
    let file = own_file()?;
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
