//! System calls of hostile payloads that no crate wraps: the only `unsafe` code of the tests.

use nix::errno::Errno;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// linux/exportfs.h, `MAX_HANDLE_SZ`
const MAX_HANDLE: usize = 128;

#[repr(C)]
struct Handle {
    length: u32,
    kind: i32,
    bytes: [u8; MAX_HANDLE],
}

/// A file without its name: its number within the file system, open_by_handle_at(2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHandle {
    /// What the file system makes of the bytes.
    pub kind: i32,
    /// Opaque.
    pub bytes: Vec<u8>,
}

impl FileHandle {
    /// That of a file: name_to_handle_at(2). EOPNOTSUPP where the file system has none.
    pub fn of(path: &Path) -> Result<Self, Errno> {
        let path = terminated(path.as_os_str());
        let mut handle = Handle { length: MAX_HANDLE as u32, kind: 0, bytes: [0; MAX_HANDLE] };
        let mut mount = 0;
        // SAFETY: the path is terminated, `handle` has room for the length that it says, `mount` is an int.
        check(unsafe {
            libc::syscall(
                libc::SYS_name_to_handle_at,
                libc::AT_FDCWD,
                path.as_ptr(),
                &raw mut handle,
                &raw mut mount,
                0,
            )
        })?;
        Ok(FileHandle { kind: handle.kind, bytes: handle.bytes[..handle.length as usize].to_vec() })
    }

    /// Opens it in the file system that `mount` is open on.
    pub fn open(&self, mount: &impl AsRawFd) -> Result<OwnedFd, Errno> {
        let mut handle = Handle { length: self.bytes.len() as u32, kind: self.kind, bytes: [0; MAX_HANDLE] };
        handle.bytes[..self.bytes.len()].copy_from_slice(&self.bytes);
        // SAFETY: `handle` lives through the call; what comes back is a new descriptor that is ours.
        unsafe {
            let fd = libc::syscall(
                libc::SYS_open_by_handle_at,
                mount.as_raw_fd(),
                &raw mut handle,
                libc::O_RDONLY,
            );
            check(fd).map(|fd| OwnedFd::from_raw_fd(fd as RawFd))
        }
    }
}

/// Pushes a byte into the input of the terminal on standard input: ioctl_tty(2), `TIOCSTI`. `high` goes into the
/// upper half of the request number, which the kernel does not look at.
pub fn push_key(key: u8, high: u32) -> Result<(), Errno> {
    ioctl_of_stdin(libc::TIOCSTI, high, key)
}

/// Asks the console to paste what is selected: ioctl_console(2), `TIOCLINUX`.
pub fn paste(high: u32) -> Result<(), Errno> {
    const PASTE: u8 = 3;
    ioctl_of_stdin(libc::TIOCLINUX, high, PASTE)
}

fn ioctl_of_stdin(request: libc::c_ulong, high: u32, mut byte: u8) -> Result<(), Errno> {
    let request = request | u64::from(high) << 32;
    // SAFETY: both requests read one byte.
    check(unsafe { libc::syscall(libc::SYS_ioctl, 0, request, &raw mut byte) }).map(drop)
}

/// Makes a socket of this family, and closes it again.
pub fn socket(family: i32) -> Result<(), Errno> {
    // SAFETY: three numbers; the descriptor that comes back is ours to close.
    unsafe {
        let fd = libc::syscall(libc::SYS_socket, family, libc::SOCK_SEQPACKET, 0);
        check(fd).map(|fd| drop(OwnedFd::from_raw_fd(fd as RawFd)))
    }
}

/// Any system call, by its number. Only for those that take no pointer, or get none.
pub fn call(number: i64, arguments: [u64; 6]) -> Result<i64, Errno> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: no argument is the address of something of this program.
    check(unsafe { libc::syscall(number, a, b, c, d, e, f) })
}

/// The same as a 32-bit program makes it, by interrupt 0x80. ENOSYS where there are no such programs.
#[cfg(target_arch = "x86_64")]
pub fn call32(number: i64, arguments: [u64; 6]) -> Result<i64, Errno> {
    let [a, b, c, d, e, _] = arguments;
    let result: i32;
    // SAFETY: as above. The register rbx is the compiler's own, so it is put back; the kernel may clear r8 to r11.
    unsafe {
        std::arch::asm!(
            "xchg rbx, {a}", "int 0x80", "xchg rbx, {a}",
            a = inout(reg) a => _,
            inlateout("eax") number as i32 => result,
            in("rcx") b, in("rdx") c, in("rsi") d, in("rdi") e,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if result < 0 { Err(Errno::from_raw(-result)) } else { Ok(result.into()) }
}

/// See above.
#[cfg(not(target_arch = "x86_64"))]
pub fn call32(_: i64, _: [u64; 6]) -> Result<i64, Errno> {
    Err(Errno::ENOSYS)
}

/// Stops a process to look into it: ptrace(2), `PTRACE_ATTACH`.
pub fn attach(pid: i32) -> Result<(), Errno> {
    // SAFETY: this request takes no pointer.
    check(unsafe { libc::syscall(libc::SYS_ptrace, libc::PTRACE_ATTACH, pid, 0, 0) }).map(drop)
}

/// Makes a mount writable that an open file (O_PATH) lies on: mount_setattr(2).
pub fn make_writable(mount: &impl AsRawFd) -> Result<(), Errno> {
    const RDONLY: u64 = 1;
    let attr = libc::mount_attr { attr_set: 0, attr_clr: RDONLY, propagation: 0, userns_fd: 0 };
    // SAFETY: the path is a terminated string, `attr` a live mount_attr of the size given.
    check(unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attr,
            size_of_val(&attr),
        )
    })
    .map(drop)
}

/// From now on these system calls fail with `error`, in every program that comes after this one: seccomp(2).
pub fn refuse(calls: &[i64], error: Errno) -> Result<(), Errno> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, k, jt, jf| libc::sock_filter { code, jt, jf, k };
    let mut steps = vec![step(LOAD, 0, 0, 0)];
    for call in calls {
        steps.push(step(JUMP_IF_EQUAL, *call as u32, 0, 1));
        steps.push(step(RETURN, libc::SECCOMP_RET_ERRNO | error as u32, 0, 0));
    }
    steps.push(step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0));
    let program = libc::sock_fprog { len: steps.len() as u16, filter: steps.as_mut_ptr() };
    // SAFETY: `program` and its steps live through the call, which copies them. Root needs no no_new_privs for it,
    // which would change what is tested; a user does.
    unsafe {
        if libc::geteuid() != 0 {
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
        }
        check(libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program))
            .map(drop)
    }
}

/// The number of a system call that can be refused.
pub fn number(call: &str) -> Option<i64> {
    let table = [
        ("openat2", libc::SYS_openat2),
        ("open_tree", libc::SYS_open_tree),
        ("move_mount", libc::SYS_move_mount),
        ("mount_setattr", libc::SYS_mount_setattr),
        ("pivot_root", libc::SYS_pivot_root),
        ("close_range", libc::SYS_close_range),
    ];
    table.into_iter().find(|(name, _)| *name == call).map(|(_, number)| number)
}

fn check(result: libc::c_long) -> Result<libc::c_long, Errno> {
    if result == -1 { Err(Errno::last()) } else { Ok(result) }
}

fn terminated(text: &OsStr) -> Box<CStr> {
    std::ffi::CString::new(text.as_bytes()).unwrap_or_default().into_boxed_c_str()
}
