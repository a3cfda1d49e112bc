//! The built-in policy and the groups.

use super::*;
use crate::seccomp::compile::compile;
use crate::seccomp::{default, groups};
use rustix::thread::CapabilitySet;

const ALL: CapabilitySet = CapabilitySet::from_bits_truncate((1 << 41) - 1);

fn verdict(program: &[Instruction], machine: &Machine, name: &str, first: u64) -> u32 {
    let abi = &machine.native;
    let number = abi.number(machine.find(name).unwrap()).unwrap();
    answer(program, Call { abi, number, arguments: [first, 0, 0, 0, 0, 0] })
}

#[test]
fn docker() {
    let Ok(path) = std::env::var("P") else { return };
    let bytes = std::fs::read(path).unwrap();
    for machine in [&X86_64, &AARCH64] {
        for bits in 0..50u64 {
            let caps = CapabilitySet::from_bits_retain(match bits {
                0..41 => 1 << bits,
                41 => 0,
                42 => ALL.bits(),
                n => n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20 & ALL.bits(),
            });
            let mut theirs = crate::seccomp::json::profile(machine, &bytes, caps).unwrap();
            theirs.compat = false;
            let ours = default::profile(machine, caps);
            let a = compile(machine, &ours);
            let b = compile(machine, &theirs);
            if bits > 40 {
                eprintln!("{} {} {}", machine.name, a.len(), b.len());
            }
            let mut n = 0;
            for call in calls(machine, &theirs).into_iter().chain(calls(machine, &ours)) {
                n += 1;
                let e = answer(&b, call);
                assert_eq!(answer(&a, call), e, "{} {caps:?} {call:?}", machine.name);
            }
            if bits > 40 {
                eprintln!("{n}");
            }
        }
    }
}
