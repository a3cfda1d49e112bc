//! What becomes of a call by its arguments.

use super::assembler::{Assembler, Jump, Target};
use super::profile::{Action, Condition, Test};
use super::tree::{Place, argument_tree, lower, push, upper};

/// One way for a call to be decided: all conditions are met.
pub type Alternative<'a> = (&'a [Condition], Action);

/// Puts decisions by arguments into a program.
pub struct Arguments<'a> {
    /// The program.
    pub code: &'a mut Assembler,
    /// The bits of an argument that the ABI has, and that values are held against.
    pub width: u64,
    /// Where an action leads.
    pub target: &'a dyn Fn(Action) -> Target,
}

impl Arguments<'_> {
    /// Tries the alternatives in turn; `otherwise` is where it goes when none is met.
    pub fn decide(&mut self, alternatives: &[Alternative<'_>], otherwise: Target) -> Target {
        let Some(((conditions, action), rest)) = alternatives.split_first() else { return otherwise };
        let together = ranged(alternatives);
        if together > 1 {
            let next = self.decide(&alternatives[together..], otherwise);
            return self.ranges(&alternatives[..together], next);
        }
        let next = self.decide(rest, otherwise);
        let met = (self.target)(*action);
        conditions.iter().rev().fold(met, |met, condition| self.check(*condition, met, next))
    }

    fn check(&mut self, condition: Condition, met: Target, next: Target) -> Target {
        let argument = condition.argument;
        match condition.test.within(self.width) {
            Test::Masked { mask, value } => {
                let halves = [(lower(argument), mask, value), (upper(argument), mask >> 32, value >> 32)];
                halves.into_iter().fold(met, |met, (offset, mask, value)| {
                    self.masked(offset, mask as u32, value as u32, met, next)
                })
            }
            Test::AnyOf(bits) => {
                let halves = [(lower(argument), bits), (upper(argument), bits >> 32)];
                halves
                    .into_iter()
                    .fold(next, |next, (offset, bits)| self.any_of(offset, bits as u32, met, next))
            }
            _ => {
                let places = self.places(&[(&[condition], Action::Allow)], |_| met, next);
                argument_tree(self.code, argument, &places)
            }
        }
    }

    fn masked(&mut self, offset: u32, mask: u32, value: u32, met: Target, next: Target) -> Target {
        if mask == 0 {
            return met;
        }
        let compared = self.code.compare(Jump::Equal, value, met, next);
        let compared = if mask == u32::MAX { compared } else { self.code.and(mask, compared) };
        self.code.load(offset, compared)
    }

    fn any_of(&mut self, offset: u32, bits: u32, met: Target, next: Target) -> Target {
        if bits == 0 {
            return next;
        }
        let compared = self.code.compare(Jump::AnyBit, bits, met, next);
        self.code.load(offset, compared)
    }

    fn ranges(&mut self, alternatives: &[Alternative<'_>], next: Target) -> Target {
        let places = self.places(alternatives, self.target, next);
        argument_tree(self.code, alternatives[0].0[0].argument, &places)
    }

    /// Where the values of the one argument lead that all alternatives are about; the first that is met counts.
    fn places(
        &self,
        alternatives: &[Alternative<'_>],
        met: impl Fn(Action) -> Target,
        next: Target,
    ) -> Vec<Place<u64>> {
        let range = |(conditions, action): &Alternative<'_>| {
            let (first, last, inside) = range(conditions[0].test.within(self.width))?;
            Some((first..=last, inside, met(*action)))
        };
        let ranges: Vec<_> = alternatives.iter().filter_map(range).collect();
        let mut starts = vec![0];
        for (values, ..) in &ranges {
            starts.push(*values.start());
            starts.extend(values.end().checked_add(1));
        }
        starts.sort_unstable();
        let mut places = Vec::with_capacity(starts.len());
        for start in starts {
            let found = ranges.iter().find(|(values, inside, _)| values.contains(&start) == *inside);
            push(&mut places, start, found.map_or(next, |(.., met)| *met));
        }
        places
    }
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
