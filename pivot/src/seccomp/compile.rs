//! From a profile to a program: the calls by number, as intervals, as a balanced tree.

use super::arguments::{Alternative, Arguments};
use super::assembler::{Assembler, Jump, Target};
use super::machine::{Abi, Machine, Syscall};
use super::profile::{Action, Condition, Profile, Rule, Test, UNKNOWN};
use super::tree::{push, tree};
use chain::sys::seccomp::Instruction;

/// Where a call's number and its ABI lie in struct seccomp_data, linux/seccomp.h.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The program for a profile. Calls of an ABI that it knows nothing about kill the process.
pub fn compile(machine: &Machine, profile: &Profile) -> Vec<Instruction> {
    let mut code = Assembler::default();
    let stranger = Target::Return(Action::KillProcess.value());
    abis(&mut code, machine, profile, stranger, |action| Target::Return(action.value()));
    code.finish()
}

/// The program that does what `profile` says, and leaves it to `rest` to decide on all that it would allow.
pub fn compile_before(machine: &Machine, profile: &Profile, rest: &[Instruction]) -> Vec<Instruction> {
    let mut code = Assembler::before(rest);
    let rest = code.start();
    let target = |action| if action == Action::Allow { rest } else { Target::Return(Action::value(action)) };
    abis(&mut code, machine, profile, rest, target);
    code.finish()
}

fn abis(
    code: &mut Assembler,
    machine: &Machine,
    profile: &Profile,
    stranger: Target,
    target: impl Fn(Action) -> Target + Copy,
) {
    let mut next = stranger;
    if profile.compat {
        let calls = calls(code, &machine.compat, profile, target);
        next = code.compare(Jump::Equal, machine.compat.audit, calls, next);
    }
    let calls = calls(code, &machine.native, profile, target);
    let start = code.compare(Jump::Equal, machine.native.audit, calls, next);
    code.load(ARCHITECTURE, start);
}

/// Decides by the number of the call.
fn calls(
    code: &mut Assembler,
    abi: &Abi,
    profile: &Profile,
    target: impl Fn(Action) -> Target + Copy,
) -> Target {
    let otherwise = target(profile.otherwise);
    let mut places = Vec::new();
    push(&mut places, 0, otherwise);
    let mut arguments = Arguments { code, width: abi.width, target: &target };
    for (number, alternatives, action) in decisions(abi, profile) {
        let decided = arguments.decide(&alternatives, target(action));
        if places.last().is_some_and(|(start, _)| *start == number) {
            places.pop();
        }
        push(&mut places, number, decided);
        push(&mut places, number + 1, otherwise);
    }
    if let Some(newest) = newest(abi, profile) {
        places.retain(|(start, _)| *start <= newest);
        push(&mut places, newest + 1, target(UNKNOWN));
    }
    if let Some(foreign) = abi.foreign {
        push(&mut places, foreign, target(UNKNOWN));
    }
    let tree = tree(code, &places);
    code.load(NUMBER, tree)
}

/// The last number that the profile knows, when it is one that refuses what it does not know. A program that asks for
/// a newer call is told that there is none, as by the kernel for which the profile was written, and tries an older
/// one; EPERM would be its end. So does runc.
pub fn newest(abi: &Abi, profile: &Profile) -> Option<u32> {
    let named =
        || profile.rules.iter().flat_map(|rule| &rule.calls).filter_map(|call| abi.number(call)).max();
    let newest = || profile.newest.and_then(|call| abi.number(call)).or_else(named);
    if profile.otherwise.permits() { None } else { newest() }
}

/// What becomes of one call: the ways in which its arguments decide, and what holds when none of them does.
pub type Decision<'a> = (u32, Vec<Alternative<'a>>, Action);

/// The calls that are not left to [`Profile::otherwise`], by number.
pub fn decisions<'a>(abi: &Abi, profile: &'a Profile) -> Vec<Decision<'a>> {
    let rules = profile.rules.iter().filter(|rule| rule.action != profile.otherwise);
    let rules: Vec<&Rule> = profile.first.iter().chain(rules).collect();
    let mut rows = Vec::with_capacity(rules.iter().map(|rule| rule.calls.len()).sum());
    for (rule, place) in rules.iter().zip(0..) {
        rows.extend(rule.calls.iter().filter_map(|call| Some((abi.number(call)?, place))));
    }
    rows.sort_unstable();
    let same = |one: &(u32, u32), next: &(u32, u32)| one.0 == next.0;
    rows.chunk_by(same).map(|rows| decision(profile, &rules, rows)).collect()
}

/// Decides on one call; `rows` have its number, and the places of the rules for it.
fn decision<'a>(profile: &Profile, rules: &[&'a Rule], rows: &[(u32, u32)]) -> Decision<'a> {
    let rule = |(_, place): &(u32, u32)| rules[*place as usize];
    let (first, rest) = rows.split_at(rows.partition_point(|row| (row.1 as usize) < profile.first.len()));
    let is_conditional = |rule: &&Rule| !rule.conditions.is_empty();
    let alternative = |rule: &'a Rule| (&rule.conditions[..], rule.action);
    let mut alternatives: Vec<_> =
        first.iter().map(rule).take_while(is_conditional).map(alternative).collect();
    let settled = |rows: &[_]| rows.iter().map(rule).find(|rule| !is_conditional(rule));
    let settled = settled(first).or_else(|| settled(rest));
    if settled.is_none() {
        alternatives.extend(rest.iter().map(rule).map(alternative));
    }
    (rows[0].0, alternatives, settled.map_or(profile.otherwise, |rule| rule.action))
}

/// Adds to the rules what they mean for 32-bit programs that reach the same calls through socketcall(2) and ipc(2).
/// The arguments lie in memory there, out of a filter's sight: what is refused with certain arguments is refused there
/// with any, and what is allowed with certain arguments is not allowed there.
pub fn multiplex(machine: &Machine, rules: &mut Vec<Rule>) {
    let mut place = 0;
    while place < rules.len() {
        let rule = &rules[place];
        let applies = rule.conditions.is_empty() || !rule.action.permits();
        let through = rule.calls.iter().filter_map(|call| through(machine, call, rule.action));
        let more: Vec<_> = through.filter(|_| applies).collect();
        place += 1;
        let after = place + more.len();
        rules.splice(place..place, more);
        place = after;
    }
}

fn through(machine: &Machine, call: &Syscall, action: Action) -> Option<Rule> {
    let (name, value) = machine.compat.multiplexer(call)?;
    let test = Test::Masked { mask: 0xffff, value };
    Some(Rule { calls: vec![machine.find(name)?], action, conditions: vec![Condition { argument: 0, test }] })
}
