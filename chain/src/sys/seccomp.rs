//! Filters of system calls.

use nix::errno::Errno;

/// One instruction of a classic BPF program, as the kernel takes it: struct sock_filter of linux/filter.h.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// What is done: BPF_* of linux/bpf_common.h.
    pub code: u16,
    /// How many instructions are skipped when a comparison holds.
    pub yes: u8,
    /// How many are skipped when it does not.
    pub no: u8,
    /// The operand.
    pub value: u32,
}

/// The program runs before each system call of this process and of its children from now on: seccomp(2),
/// SECCOMP_SET_MODE_FILTER. `flags` are SECCOMP_FILTER_FLAG_* bits of linux/seccomp.h.
///
/// Errors: EACCES without no_new_privs or CAP_SYS_ADMIN; EINVAL for a program that the kernel does not accept.
pub fn set_filter(program: &[Instruction], flags: u32) -> Result<(), Errno> {
    let Ok(len) = program.len().try_into() else { return Err(Errno::EINVAL) };
    let filter = libc::sock_fprog { len, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `filter` names `len` live instructions of struct sock_filter's layout, which the kernel only reads.
    super::check(unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter)
    })
    .map(drop)
}
