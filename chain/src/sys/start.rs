//! A program start that asks the processor nothing.
//!
//! The start-up of a static glibc program runs 68 CPUID instructions to choose among its string functions. Under
//! a hypervisor each of them leaves the virtual machine: 0.3 of the 0.4 ms that such a program takes to start.
//! This start takes the functions that every x86-64 processor has, as they are written for short strings anyway,
//! and otherwise does what `__libc_start_main` of glibc's csu/libc-start.c does, in its order. The build script
//! chooses it only for a version of glibc that it is known to fit, and only after a program has run with it.

use core::ffi::{c_char, c_int, c_void};

type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;

/// elf(5): `r_offset`, `r_info`, `r_addend`.
#[repr(C)]
struct Relocation {
    place: *mut usize,
    kind: u64,
    resolver: extern "C" fn() -> usize,
}

unsafe extern "C" {
    static mut __environ: *mut *mut c_char;
    static mut __libc_stack_end: *mut c_void;
    static _dl_random: *const usize;
    static __rela_iplt_start: Relocation;
    static __rela_iplt_end: Relocation;
    static __init_array_start: Main;
    static __init_array_end: Main;
    fn _dl_aux_init(auxiliary: *mut *mut c_char);
    fn __tunables_init(environment: *mut *mut c_char);
    fn __libc_setup_tls();
    fn __libc_early_init(single: bool);
    fn __libc_init_first(count: c_int, arguments: *mut *mut c_char, environment: *mut *mut c_char);
    fn exit(status: c_int) -> !;
}

/// What glibc's string functions read instead of CPUID: its own defaults (sysdeps/x86/cacheinfo.h).
mod tuning {
    use super::c_int;
    #[unsafe(no_mangle)]
    static __x86_data_cache_size: usize = 32 << 10;
    #[unsafe(no_mangle)]
    static __x86_data_cache_size_half: usize = 16 << 10;
    #[unsafe(no_mangle)]
    static __x86_shared_cache_size: usize = 1 << 20;
    #[unsafe(no_mangle)]
    static __x86_shared_cache_size_half: usize = 512 << 10;
    #[unsafe(no_mangle)]
    static __x86_shared_non_temporal_threshold: usize = 768 << 10;
    #[unsafe(no_mangle)]
    static __x86_rep_movsb_threshold: usize = 2 << 10;
    #[unsafe(no_mangle)]
    static __x86_rep_movsb_stop_threshold: usize = 768 << 10;
    #[unsafe(no_mangle)]
    static __x86_rep_stosb_threshold: usize = 2 << 10;
    #[unsafe(no_mangle)]
    static __x86_string_control: c_int = 0;
}

/// Called by `_start` of crt1.o with the kernel's argument vector; never returns.
///
/// Until the relocations are done nothing here may call a string function, which the compiler would put in for
/// an array or a struct assignment; until thread-local storage is there nothing may touch errno.
#[unsafe(no_mangle)]
unsafe extern "C" fn __libc_start_main(
    main: Main,
    count: c_int,
    arguments: *mut *mut c_char,
    _init: *const c_void,
    _fini: *const c_void,
    _loader_fini: *const c_void,
    stack_end: *mut c_void,
) -> c_int {
    // SAFETY: the kernel ends the arguments and the environment by null pointers and puts the auxiliary vector
    // behind them; the other calls and variables are those of glibc, used once, in glibc's own order.
    unsafe {
        let environment = arguments.add(count as usize + 1);
        __environ = environment;
        __libc_stack_end = stack_end;
        let mut end = environment;
        while !(*end).is_null() {
            end = end.add(1);
        }
        _dl_aux_init(end.add(1));
        __tunables_init(environment);
        let mut relocation = &raw const __rela_iplt_start;
        while relocation < &raw const __rela_iplt_end {
            *(*relocation).place = ((*relocation).resolver)();
            relocation = relocation.add(1);
        }
        __libc_setup_tls();
        guard(_dl_random);
        __libc_early_init(true);
        __libc_init_first(count, arguments, environment);
        let mut constructor = &raw const __init_array_start;
        while constructor < &raw const __init_array_end {
            (*constructor)(count, arguments, environment);
            constructor = constructor.add(1);
        }
        exit(main(count, arguments, environment))
    }
}

/// Sets the stack canary, whose lowest byte is zero to end strings, and the key that hides code pointers: both
/// at fixed places of the thread control block (sysdeps/x86_64/nptl/tls.h).
unsafe fn guard(random: *const usize) {
    // SAFETY: the kernel's 16 random bytes (AT_RANDOM) are there, and fs points to the control block.
    unsafe {
        core::arch::asm!("mov fs:[0x28], {}", in(reg) random.read_unaligned() & !0xff);
        core::arch::asm!("mov fs:[0x30], {}", in(reg) random.add(1).read_unaligned());
    }
}
