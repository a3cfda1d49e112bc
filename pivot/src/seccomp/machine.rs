//! What the kernel calls by number, on this machine.

include!(concat!(env!("OUT_DIR"), "/syscalls.rs"));

/// A system call, with its numbers for 64-bit and for 32-bit programs, -1 where these do not have it.
#[derive(Debug, PartialEq, Eq)]
pub struct Syscall {
    /// The name, as the kernel's headers have it.
    pub name: &'static str,
    numbers: [i32; 2],
}

/// A kind of processor: which programs it runs, and what these can call.
#[derive(Debug)]
pub struct Machine {
    /// Its name in the conditions of Docker's profiles: Go's.
    pub name: &'static str,
    /// The ABI of 64-bit programs.
    pub native: Abi,
    /// The ABI of 32-bit programs.
    pub compat: Abi,
    /// The calls of both, sorted by name.
    pub syscalls: &'static [Syscall],
}

/// One way to call the kernel.
#[derive(Debug, Clone, Copy)]
pub struct Abi {
    /// What OCI's `architectures` calls it.
    pub name: &'static str,
    /// What the kernel's filters see: AUDIT_ARCH_* of linux/audit.h.
    pub audit: u32,
    /// Its place in the table's rows.
    column: usize,
    /// The bits that an argument has.
    pub width: u64,
    /// Some calls can also be reached through socketcall(2) or ipc(2).
    pub multiplexed: bool,
    /// Numbers from this one on are another ABI's, which no distribution's kernel offers unless it is asked to when it
    /// boots: x32.
    pub foreign: Option<u32>,
}

#[cfg(any(test, target_arch = "x86_64"))]
pub static X86_64: Machine = Machine {
    name: "amd64",
    native: Abi {
        name: "SCMP_ARCH_X86_64",
        audit: 0xc000_003e,
        column: 0,
        width: u64::MAX,
        multiplexed: false,
        foreign: Some(0x4000_0000),
    },
    compat: Abi {
        name: "SCMP_ARCH_X86",
        audit: 0x4000_0003,
        column: 1,
        width: 0xffff_ffff,
        multiplexed: true,
        foreign: None,
    },
    syscalls: &X86,
};

#[cfg(any(test, target_arch = "aarch64"))]
pub static AARCH64: Machine = Machine {
    name: "arm64",
    native: Abi {
        name: "SCMP_ARCH_AARCH64",
        audit: 0xc000_00b7,
        column: 0,
        width: u64::MAX,
        multiplexed: false,
        foreign: None,
    },
    compat: Abi {
        name: "SCMP_ARCH_ARM",
        audit: 0x4000_0028,
        column: 1,
        width: 0xffff_ffff,
        multiplexed: false,
        foreign: None,
    },
    syscalls: &ARM,
};

/// The machine that this program is made for.
#[cfg(target_arch = "x86_64")]
pub static THIS: &Machine = &X86_64;
/// The machine that this program is made for.
#[cfg(target_arch = "aarch64")]
pub static THIS: &Machine = &AARCH64;

impl Machine {
    /// The call of that name.
    pub fn find(&self, name: &str) -> Option<&'static Syscall> {
        self.syscalls.binary_search_by(|call| call.name.cmp(name)).ok().map(|at| &self.syscalls[at])
    }
}

impl Abi {
    /// The call's number, where this ABI has it.
    pub fn number(&self, call: &Syscall) -> Option<u32> {
        call.numbers[self.column].try_into().ok()
    }

    /// The call through which `call` can be reached as well, and the value of its first argument that says so.
    pub fn multiplexer(&self, call: &Syscall) -> Option<(&'static str, u64)> {
        let place = |names: &[&str]| names.iter().position(|name| *name == call.name).map(|at| at as u64 + 1);
        let through =
            || place(&SOCKETCALL).map(|at| ("socketcall", at)).or_else(|| place(&IPC).map(|at| ("ipc", at)));
        if self.multiplexed { through() } else { None }
    }
}

/// What socketcall(2) does, from 1 on: linux/net.h.
const SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

/// What ipc(2) does, from 1 on: linux/ipc.h. The upper half of its first argument is a version.
const IPC: [&str; 24] = [
    "semop",
    "semget",
    "semctl",
    "semtimedop",
    "",
    "",
    "",
    "",
    "",
    "",
    "msgsnd",
    "msgrcv",
    "msgget",
    "msgctl",
    "",
    "",
    "",
    "",
    "",
    "",
    "shmat",
    "shmdt",
    "shmget",
    "shmctl",
];
