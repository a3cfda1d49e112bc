//! What becomes of a call by its arguments.

use super::assembler::{Assembler, Jump, Target};
use super::profile::{Action, Condition, Test};
use super::tree::{Place, argument_tree, lower, push, upper};

/// One way for a call to be decided: all conditions are met.
pub type Alternative<'a> = (&'a [Condition], Action);

/// Tries the alternatives in turn; `otherwise` is where it goes when none is met.
pub fn decide(code: &mut Assembler, alternatives: &[Alternative<'_>], otherwise: Target) -> Target {
    let Some(((conditions, action), rest)) = alternatives.split_first() else { return otherwise };
    let together = ranged(alternatives);
    if together > 1 {
        let next = decide(code, &alternatives[together..], otherwise);
        return ranges(code, &alternatives[..together], next);
    }
    let next = decide(code, rest, otherwise);
    let met = Target::Return(action.value());
    conditions.iter().rev().fold(met, |met, condition| check(code, *condition, met, next))
}

/// How many of the first alternatives ask for nothing but the size of the same argument.
fn ranged(alternatives: &[Alternative<'_>]) -> usize {
    let argument = |(conditions, _): &Alternative<'_>| match conditions {
        [Condition { argument, test }] => range(*test).map(|_| *argument),
        _ => None,
    };
    let Some(first) = alternatives.first().and_then(argument) else { return 0 };
    alternatives.iter().take_while(|alternative| argument(alternative) == Some(first)).count()
}

fn check(code: &mut Assembler, Condition { argument, test }: Condition, met: Target, next: Target) -> Target {
    match test {
        Test::Masked { mask, value } => {
            let lower_met = masked(code, lower(argument), mask as u32, value as u32, met, next);
            masked(code, upper(argument), (mask >> 32) as u32, (value >> 32) as u32, lower_met, next)
        }
        Test::AnyOf(bits) => {
            let lower_met = any_of(code, lower(argument), bits as u32, met, next);
            any_of(code, upper(argument), (bits >> 32) as u32, met, lower_met)
        }
        _ => {
            let alternative: Alternative<'_> = (&[Condition { argument, test }], Action::Allow);
            argument_tree(code, argument, &places(&[alternative], |_| met, next))
        }
    }
}

fn masked(code: &mut Assembler, offset: u32, mask: u32, value: u32, met: Target, next: Target) -> Target {
    if mask == 0 {
        return if value == 0 { met } else { next };
    }
    let compared = code.compare(Jump::Equal, value, met, next);
    let compared = if mask == u32::MAX { compared } else { code.and(mask, compared) };
    code.load(offset, compared)
}

fn any_of(code: &mut Assembler, offset: u32, bits: u32, met: Target, next: Target) -> Target {
    if bits == 0 {
        return next;
    }
    let compared = code.compare(Jump::AnyBit, bits, met, next);
    code.load(offset, compared)
}

fn ranges(code: &mut Assembler, alternatives: &[Alternative<'_>], next: Target) -> Target {
    let argument = alternatives[0].0[0].argument;
    let places = places(alternatives, |action| Target::Return(action.value()), next);
    argument_tree(code, argument, &places)
}

/// Where the values of the one argument lead that all alternatives are about; the first that is met counts.
fn places(alternatives: &[Alternative<'_>], met: impl Fn(Action) -> Target, next: Target) -> Vec<Place<u64>> {
    let ranges: Vec<_> =
        alternatives.iter().filter_map(|(c, action)| Some((range(c[0].test)?, *action))).collect();
    let mut starts = vec![0];
    for ((first, last, _), _) in &ranges {
        starts.push(*first);
        starts.extend(last.checked_add(1));
    }
    starts.sort_unstable();
    starts.dedup();
    let mut places = Vec::with_capacity(starts.len());
    for start in starts {
        let holds = |((first, last, inside), _): &&((u64, u64, bool), Action)| {
            (*first <= start && start <= *last) == *inside
        };
        push(&mut places, start, ranges.iter().find(holds).map_or(next, |(_, action)| met(*action)));
    }
    places
}

/// The values, first to last, inside which the test is met, or else outside of which; None for one about bits.
fn range(test: Test) -> Option<(u64, u64, bool)> {
    match test {
        Test::Ne(value) => Some((value, value, false)),
        Test::Lt(value) => Some((value, u64::MAX, false)),
        Test::Le(value) => Some((0, value, true)),
        Test::Eq(value) => Some((value, value, true)),
        Test::Ge(value) => Some((value, u64::MAX, true)),
        Test::Gt(value) => Some((0, value, false)),
        Test::Masked { .. } | Test::AnyOf(_) => None,
    }
}
