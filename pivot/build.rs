//! Writes the tables of system calls, by name, with their numbers for 64-bit and for 32-bit programs of a machine.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

type Table = BTreeMap<String, [i32; 2]>;

/// What only other names are known for, or no number at all: arch/arm/include/uapi/asm/unistd.h; `send` and `recv`
/// are reached through socketcall(2) alone.
const ARM: [(&str, [i32; 2]); 7] = [
    ("newfstatat", [79, NONE]),
    ("sync_file_range2", [NONE, 341]),
    ("breakpoint", [NONE, 0xf_0001]),
    ("cacheflush", [NONE, 0xf_0002]),
    ("usr26", [NONE, 0xf_0003]),
    ("usr32", [NONE, 0xf_0004]),
    ("set_tls", [NONE, 0xf_0005]),
];
const X86: [(&str, [i32; 2]); 2] = [("send", [NONE; 2]), ("recv", [NONE; 2])];

/// The calls with 64 bits of time, which only 32-bit programs have beside others: asm-generic/unistd.h.
const ONLY_32: std::ops::RangeInclusive<i32> = 403..=423;

const NONE: i32 = -1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let mut x86 = Table::new();
    add(&mut x86, 0, syscalls::x86_64::Sysno::iter().map(|call| (call.name(), call.id())));
    add(&mut x86, 1, syscalls::x86::Sysno::iter().map(|call| (call.name(), call.id())));
    let mut arm = Table::new();
    let calls = syscalls::aarch64::Sysno::iter().filter(|call| !ONLY_32.contains(&call.id()));
    add(&mut arm, 0, calls.map(|call| (call.name(), call.id())));
    add(&mut arm, 1, syscalls::arm::Sysno::iter().map(|call| (call.name(), call.id())));
    x86.extend(X86.map(|(name, numbers)| (name.to_owned(), numbers)));
    arm.extend(ARM.map(|(name, numbers)| (name.to_owned(), numbers)));
    let text = format!("{}{}", source("X86", "x86_64", &x86), source("ARM", "aarch64", &arm));
    let directory = std::env::var_os("OUT_DIR").unwrap_or_default();
    if let Err(e) = std::fs::write(Path::new(&directory).join("syscalls.rs"), text) {
        println!("cargo::error=cannot write the tables of system calls: {e}");
    }
}

fn add(table: &mut Table, column: usize, calls: impl Iterator<Item = (&'static str, i32)>) {
    for (name, number) in calls {
        table.entry(name.to_owned()).or_insert([NONE; 2])[column] = number;
    }
}

/// The table as Rust, sorted by name.
fn source(name: &str, machine: &str, table: &Table) -> String {
    let mut text = format!(
        "#[cfg(any(test, target_arch = \"{machine}\"))]\nstatic {name}: [Syscall; {}] = [\n",
        table.len()
    );
    for (name, numbers) in table {
        let _ = writeln!(text, "Syscall {{ name: {name:?}, numbers: {numbers:?} }},");
    }
    text + "];\n"
}
