//! Made-up policies against a plain reading of their rules.

use super::*;
use crate::seccomp::assembler::{Assembler, Jump, Target};
use crate::seccomp::compile::{compile, compile_before, multiplex};
use chain::filter;

/// xorshift64: the same policies in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn some<T>(&mut self, least: usize, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..least + self.below(most - least + 1)).map(|_| make(self)).collect()
    }

    fn action(&mut self) -> Action {
        let errno = Action::Errno(self.below(4096) as u16);
        let trace = Action::Trace(self.below(9) as u16);
        let others = [Action::Allow, Action::Log, Action::Trap, Action::KillThread, Action::KillProcess];
        self.of(&[&others[..], &[Action::Allow, errno, errno, trace, UNKNOWN]].concat())
    }

    fn value(&mut self) -> u64 {
        let high = self.of(&[0, 0, 0, 1, 0xffff_ffff]);
        let low = self.of(&[0, 1, 2, 5, 38, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]);
        high << 32 | low
    }

    fn condition(&mut self) -> Condition {
        let (value, mask) = (self.value(), self.value());
        let tests = [
            Test::Ne(value),
            Test::Lt(value),
            Test::Le(value),
            Test::Eq(value),
            Test::Eq(mask),
            Test::Ge(value),
            Test::Gt(value),
            Test::Masked { mask, value: value & mask },
            Test::AnyOf(mask),
        ];
        Condition { argument: self.of(&[0, 0, 1, 2, 5]), test: self.of(&tests) }
    }

    fn rule(&mut self, machine: &'static Machine, few: &[usize]) -> Rule {
        let conditions = self.of(&[0, 1, 1, 2, 4]);
        Rule {
            calls: self.some(1, 4, |random| &machine.syscalls[random.of(few)]),
            action: self.action(),
            conditions: self.some(conditions / 2, conditions, Self::condition),
        }
    }

    fn profile(&mut self, machine: &'static Machine) -> Profile {
        // Few calls, so that many rules are about the same one.
        let few = self.some(2, 60, |random| random.below(machine.syscalls.len()));
        let mut profile = Profile::new(self.action());
        profile.compat = self.below(2) == 0;
        profile.first = self.some(0, 9, |random| random.rule(machine, &few));
        let most = self.of(&[9, 60, 400]);
        profile.rules = self.some(0, most, |random| random.rule(machine, &few));
        multiplex(machine, &mut profile.rules);
        profile
    }
}

const MACHINES: [&Machine; 2] = [&X86_64, &AARCH64];

/// What the profile says of a call of an ABI that it may not speak of.
fn expected(profile: &Profile, call: Call<'_>) -> Action {
    if profile.compat || call.abi.width == u64::MAX { reading(profile, call) } else { Action::KillProcess }
}

/// Some of the calls, evenly.
fn sample(calls: Vec<Call<'_>>) -> impl Iterator<Item = Call<'_>> {
    let step = calls.len() / 12_000 + 1;
    calls.into_iter().step_by(step)
}

#[test]
fn a_program_answers_what_the_rules_say() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut longest = 0;
    for round in 0..16 {
        let machine = MACHINES[round % 2];
        let profile = random.profile(machine);
        let program = compile(machine, &profile);
        filter::check(&program).unwrap();
        longest = longest.max(program.len());
        let refused = machine.syscalls.iter().filter(|call| profile.refuses(call));
        let refused: Vec<_> = refused.filter_map(|call| machine.native.number(call)).collect();
        for call in sample(calls(machine, &profile)) {
            let expected = expected(&profile, call);
            let is_refused = call.abi.width == u64::MAX && refused.contains(&call.number);
            assert!(!is_refused || !expected.permits(), "{call:x?}");
            assert_eq!(answer(&program, call), expected.value(), "round {round}: {call:x?} {profile:x?}");
        }
    }
    assert!(longest > 500, "no jump was too long for one instruction: {longest}");
}

#[test]
fn what_is_denied_stands_before_a_program_of_others() {
    let mut random = Random(1);
    for round in 0..20 {
        let machine = MACHINES[round % 2];
        let others = random.profile(machine);
        let mut denied = random.profile(machine);
        denied.otherwise = Action::Allow;
        denied.compat = true;
        let rest = compile(machine, &others);
        let program = compile_before(machine, &denied, &rest);
        filter::check(&program).unwrap();
        for call in sample(calls(machine, &denied)) {
            let expected = match reading(&denied, call) {
                Action::Allow => answer(&rest, call),
                action => action.value(),
            };
            assert_eq!(answer(&program, call), expected, "round {round}: {call:x?}");
        }
        let mut stranger = X86_64.native;
        stranger.audit = 0xc000_0016;
        let call = Call { abi: &stranger, number: 0, arguments: [0; 6] };
        assert_eq!(answer(&program, call), answer(&rest, call));
    }
}

#[test]
fn a_comparison_reaches_what_is_as_far_as_it_may_be_and_farther() {
    let back = |value| Instruction { code: 0x06, yes: 0, no: 0, value };
    let rest = [back(1), back(2), back(3)];
    let (three, two) = (Target::Place(0), Target::Place(1));
    for between in 240..270 {
        for (far, expected) in [(None, [2, 1]), (Some(two), [3, 2])] {
            for swapped in [false, true] {
                let mut code = Assembler::before(&rest);
                for _ in 0..between {
                    code.load(0, code.start());
                }
                let near = far.unwrap_or(code.start());
                let one = if far.is_some() { three } else { two };
                let (yes, no) = if swapped { (near, one) } else { (one, near) };
                let start = code.compare(Jump::Equal, 5, yes, no);
                code.load(0, start);
                let program = code.finish();
                let answers = [5, 6]
                    .map(|number| answer(&program, Call { abi: &X86_64.native, number, arguments: [0; 6] }));
                let expected = if swapped { [expected[1], expected[0]] } else { expected };
                assert_eq!(answers, expected, "{between} between");
            }
        }
    }
}
