//! Starting a process in new namespaces or in a control group.

use nix::errno::Errno;
use nix::unistd::Pid;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Which side of the fork this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The caller, with the pid of the new process.
    Parent(Pid),
    /// The new process.
    Child,
}

/// libc's constant of this name is a `c_int` and 0: the real bit does not fit (linux/sched.h).
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// Forks into new namespaces (`CLONE_NEW*` bits of [`crate::ns`]) and, with `group` (a directory of a
/// cgroup2 tree), into that control group: clone3(2).
///
/// Where a seccomp filter hides clone3 (ENOSYS) the older clone(2) does what it can: all but `group` and
/// a time namespace, which stay ENOSYS.
pub fn clone3(flags: u64, group: Option<BorrowedFd<'_>>) -> Result<Fork, Errno> {
    let args = arguments(flags, group);
    // SAFETY: without CLONE_VM this is fork(2): the child gets a copy of this single-threaded process and
    // of its stack, so no lock is held by a thread that does not exist there. `args` outlives the call.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    match super::check(result) {
        Err(Errno::ENOSYS) if group.is_none() && flags & 0xff == 0 => clone(flags),
        other => other.map(side),
    }
}

/// Starts a process like [`clone3`], but on the memory of this one, which stands still until the new process has
/// become another program or has ended: vfork(2). So nothing is copied for what is about to be thrown away.
///
/// `body` runs in the new process, and gives its exit status when it does not become another program. What it does to
/// memory stays done; the mark "not dumpable" of prctl(2) belongs to the memory too. ENOSYS where this is not to be
/// had: on other processors, or behind a filter that hides clone3.
#[cfg(not(target_arch = "x86_64"))]
pub fn vfork3(_: u64, _: Option<BorrowedFd<'_>>, _: &mut dyn FnMut() -> u8) -> Result<Pid, Errno> {
    Err(Errno::ENOSYS)
}

/// See above.
#[cfg(target_arch = "x86_64")]
pub fn vfork3(
    flags: u64,
    group: Option<BorrowedFd<'_>>,
    mut body: &mut dyn FnMut() -> u8,
) -> Result<Pid, Errno> {
    extern "C" fn run(body: &mut &mut dyn FnMut() -> u8) -> ! {
        let status = body();
        // SAFETY: ends this process at once, leaving what it shares with the other alone.
        unsafe { libc::_exit(status.into()) }
    }
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let mut args = arguments(flags | (libc::CLONE_VM | libc::CLONE_VFORK) as u64, group);
    args.stack = stack.as_mut_ptr() as u64;
    args.stack_size = STACK as u64;
    let result: libc::c_long;
    // SAFETY: the new process has a stack of its own, and runs nothing but `run`, which does not return. This one
    // goes on when the other has let go of the memory, which then holds what `body` did to it, as after a call.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") libc::SYS_clone3 => result,
            in("rdi") &raw const args,
            in("rsi") size_of_val(&args),
            in("r12") &raw mut body,
            in("r13") run as extern "C" fn(&mut &mut dyn FnMut() -> u8) -> !,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    match result {
        pid @ 1.. => Ok(Pid::from_raw(pid as libc::pid_t)),
        error => Err(Errno::from_raw(-error as i32)),
    }
}

/// Enough for a link's last steps; only what is used of it costs anything.
#[cfg(target_arch = "x86_64")]
const STACK: usize = 256 << 10;

fn arguments(flags: u64, group: Option<BorrowedFd<'_>>) -> libc::clone_args {
    // SAFETY: an all-zero clone_args is the documented "nothing asked for".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags;
    args.exit_signal = libc::SIGCHLD as u64;
    if let Some(group) = group {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = group.as_raw_fd() as u64;
    }
    args
}

fn clone(flags: u64) -> Result<Fork, Errno> {
    // SAFETY: as above; a null stack means that the child goes on with its copy of this one.
    super::check(unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD as u64, 0, 0, 0, 0) })
        .map(side)
}

fn side(pid: libc::c_long) -> Fork {
    match pid {
        0 => Fork::Child,
        pid => Fork::Parent(Pid::from_raw(pid as libc::pid_t)),
    }
}

/// Moves this process itself into new namespaces (`CLONE_NEW*` bits): unshare(2).
pub fn unshare(flags: u64) -> Result<(), Errno> {
    // SAFETY: it changes what names this process resolves, no memory; a single-threaded process shares
    // neither memory nor descriptors that other flags could take from a thread.
    super::check(unsafe { libc::syscall(libc::SYS_unshare, flags) }).map(drop)
}

/// Whether this program's file, or a set-user-ID program before it, has given it rights that its caller has not:
/// getauxval(3), `AT_SECURE`.
pub fn has_lent_rights() -> bool {
    // SAFETY: it takes a number, and reads what the kernel has put on the stack at the start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

unsafe extern "C" {
    static __executable_start: u8;
    static etext: u8;
}

/// Gives back the memory that this program's code and constants take while it does nothing but wait:
/// madvise(2), MADV_DONTNEED. What is needed again is read from the file anew.
pub fn release_code() {
    // SAFETY: the call takes a number; the C library has the answer from the kernel since the start. What reads it
    // from /proc later fails in a process that is not dumpable.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let start = &raw const __executable_start as usize / page * page;
    let length = (&raw const etext as usize).saturating_sub(start) / page * page;
    // SAFETY: the linker puts headers, constants and code between these two symbols, in private mappings of
    // the executable that are never written, so that the file restores every page as it was.
    unsafe { libc::madvise(start as *mut libc::c_void, length, libc::MADV_DONTNEED) };
}
