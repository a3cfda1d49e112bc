//! Filters against three others' word: a plain reading of the rules, libseccomp's programs, and the manual pages.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod libseccomp;
mod policy;
mod random;

use super::compile::newest;
use super::machine::{AARCH64, Abi, Machine, X86_64};
use super::profile::{Action, Condition, Profile, Rule, Test, UNKNOWN};
use chain::sys::seccomp::Instruction;

/// A system call: an ABI, a number, arguments.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    abi: &'a Abi,
    number: u32,
    arguments: [u64; 6],
}

/// What the program answers, as the kernel runs it: bpf(4).
fn answer(program: &[Instruction], call: Call<'_>) -> u32 {
    let mut data = vec![call.number, call.abi.audit, 0, 0];
    data.extend(call.arguments.iter().flat_map(|argument| [*argument as u32, (argument >> 32) as u32]));
    let (mut next, mut loaded) = (0, 0);
    loop {
        let Instruction { code, yes, no, value } = program[next];
        let branch = |holds: bool| usize::from(if holds { yes } else { no });
        next += 1;
        match code {
            0x20 => loaded = data[value as usize / 4],
            0x54 => loaded &= value,
            0x05 => next += value as usize,
            0x06 => return value,
            0x15 => next += branch(loaded == value),
            0x25 => next += branch(loaded > value),
            0x35 => next += branch(loaded >= value),
            0x45 => next += branch(loaded & value != 0),
            _ => panic!("instruction {} has the code {code:#x}", next - 1),
        }
    }
}

/// What the rules say, read one after the other.
fn reading(profile: &Profile, call: Call<'_>) -> Action {
    let is_named = |rule: &&Rule| rule.calls.iter().any(|one| call.abi.number(one) == Some(call.number));
    let is_met = |rule: &&Rule| {
        rule.conditions.iter().all(|condition| holds(*condition, call.arguments, call.abi.width))
    };
    if call.abi.foreign.is_some_and(|foreign| call.number >= foreign)
        || newest(call.abi, profile).is_some_and(|newest| call.number > newest)
    {
        return UNKNOWN;
    }
    if let Some(rule) = profile.first.iter().filter(is_named).find(is_met) {
        return rule.action;
    }
    let rules = || profile.rules.iter().filter(|rule| rule.action != profile.otherwise).filter(is_named);
    let rule = rules().find(|rule| rule.conditions.is_empty()).or_else(|| rules().find(is_met));
    rule.map_or(profile.otherwise, |rule| rule.action)
}

fn holds(condition: Condition, arguments: [u64; 6], width: u64) -> bool {
    let argument = arguments[usize::from(condition.argument)];
    match condition.test.within(width) {
        Test::Ne(value) => argument != value,
        Test::Lt(value) => argument < value,
        Test::Le(value) => argument <= value,
        Test::Eq(value) => argument == value,
        Test::Ge(value) => argument >= value,
        Test::Gt(value) => argument > value,
        Test::Masked { mask, value } => argument & mask == value,
        Test::AnyOf(bits) => argument & bits != 0,
    }
}

/// Values at which a condition could change its mind.
fn telling(test: Test) -> Vec<u64> {
    let edges = |value: u64| {
        let near = [value.wrapping_sub(1), value, value.wrapping_add(1)];
        near.into_iter().chain([value | 1 << 32, value | 0xffff_ffff << 32, value & 0xffff_ffff, !value])
    };
    let bits = |mask: u64| (0..64).map(|bit| 1 << bit).filter(move |bit| mask & bit != 0);
    match test {
        Test::Ne(value) | Test::Lt(value) | Test::Le(value) => edges(value).collect(),
        Test::Eq(value) | Test::Ge(value) | Test::Gt(value) => edges(value).collect(),
        Test::Masked { mask, value } => edges(value)
            .chain(edges(mask))
            .chain(bits(mask).flat_map(|bit| [value ^ bit, value | !mask ^ bit]))
            .chain([value | !mask])
            .collect(),
        Test::AnyOf(mask) => bits(mask).chain([mask, !mask, mask | 1 << 32]).collect(),
    }
}

/// Calls that tell two filters apart: every number there is and some that there are not, and for each that has
/// conditions the arguments at which one of them could change its mind.
fn calls<'a>(machine: &'a Machine, profile: &Profile) -> Vec<Call<'a>> {
    let numbers =
        || (0..=600).chain(0x4000_0000..=0x4000_0258).chain([0xf_0000, 0xf_0005, 0x7fff_ffff, u32::MAX]);
    let rules = || profile.first.iter().chain(&profile.rules);
    let mut calls = Vec::new();
    for abi in [&machine.native, &machine.compat] {
        for number in numbers() {
            let mut values = [(); 6].map(|()| vec![0, 1, u64::MAX]);
            for rule in rules().filter(|rule| rule.calls.iter().any(|call| abi.number(call) == Some(number)))
            {
                for Condition { argument, test } in &rule.conditions {
                    values[usize::from(*argument)].extend(telling(*test));
                }
            }
            // The kernel hands on 32 bits of what a 32-bit program passes.
            let mut add = |arguments: [u64; 6]| {
                calls.push(Call { abi, number, arguments: arguments.map(|argument| argument & abi.width) });
            };
            [[0; 6], [1; 6], [u64::MAX; 6]].into_iter().for_each(&mut add);
            let conditional = |argument: &usize| values[*argument].len() > 3;
            for argument in (0..6).filter(conditional) {
                for (value, other) in pairs(&values[argument], &[0, 1, u64::MAX]) {
                    let mut arguments = [other; 6];
                    arguments[argument] = value;
                    add(arguments);
                }
            }
            for (first, second) in pairs(&[0, 1, 2, 3], &[1, 2, 3, 4]) {
                if first < second && conditional(&first) && conditional(&second) {
                    for (one, two) in pairs(&values[first], &values[second]) {
                        let mut arguments = [0; 6];
                        (arguments[first], arguments[second]) = (one, two);
                        add(arguments);
                    }
                }
            }
        }
    }
    calls
}

fn pairs<T: Copy>(ones: &[T], twos: &[T]) -> Vec<(T, T)> {
    ones.iter().flat_map(|one| twos.iter().map(|two| (*one, *two))).collect()
}
