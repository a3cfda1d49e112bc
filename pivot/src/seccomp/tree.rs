//! Decisions by the size of a number, as balanced trees of comparisons.

use super::assembler::{Assembler, Jump, Target};

/// Where the numbers from this one up to the next such place lead. The first is 0; they rise.
pub type Place<N> = (N, Target);

/// The tree for the 32 bits that were loaded.
pub fn tree(code: &mut Assembler, places: &[Place<u32>]) -> Target {
    let mut leaves = Vec::with_capacity(places.len());
    let mut rest = places;
    while !rest.is_empty() {
        let (leaf, after) = rest.split_at(if is_hole(rest) { 3 } else { 1 });
        leaves.push(leaf);
        rest = after;
    }
    balanced(code, &leaves)
}

/// One number that differs from those around it takes one comparison instead of two.
fn is_hole(places: &[Place<u32>]) -> bool {
    matches!(places, [(_, below), (number, _), (next, above), ..] if below == above && next - number == 1)
}

fn balanced(code: &mut Assembler, leaves: &[&[Place<u32>]]) -> Target {
    match leaves {
        [[(_, around), (number, target), ..]] => code.compare(Jump::Equal, *number, *target, *around),
        [leaf] => leaf[0].1,
        _ => {
            let (below, above) = leaves.split_at(leaves.len() / 2);
            let no = balanced(code, below);
            let yes = balanced(code, above);
            code.compare(Jump::AtLeast, above[0][0].0, yes, no)
        }
    }
}

/// The tree for an argument of 64 bits, which it loads in halves.
pub fn argument_tree(code: &mut Assembler, argument: u8, places: &[Place<u64>]) -> Target {
    let mut halves: Vec<Place<u32>> = Vec::new();
    let mut rest = places;
    while let [(first, _), ..] = *rest {
        let high = (first >> 32) as u32;
        let (same, after) = rest.split_at(rest.partition_point(|(start, _)| (start >> 32) as u32 == high));
        rest = after;
        let target = lower_half(code, argument, before(places, first), same);
        push(&mut halves, high, target);
        let next_is_new = rest.first().is_none_or(|(start, _)| (start >> 32) as u32 != high.wrapping_add(1));
        if let (Some(next), true, Some((_, last))) = (high.checked_add(1), next_is_new, same.last()) {
            push(&mut halves, next, *last);
        }
    }
    let halves = tree(code, &halves);
    code.load(upper(argument), halves)
}

/// Decides by the lower half; `places` have the same upper half, and `entry` is where it leads before the first.
fn lower_half(code: &mut Assembler, argument: u8, entry: Option<Target>, places: &[Place<u64>]) -> Target {
    let mut lower: Vec<Place<u32>> = Vec::new();
    if let (Some(entry), true) = (entry, places[0].0 as u32 != 0) {
        lower.push((0, entry));
    }
    places.iter().for_each(|(start, target)| push(&mut lower, *start as u32, *target));
    match lower[..] {
        [(_, target)] => target,
        _ => {
            let lower = tree(code, &lower);
            code.load(super::tree::lower(argument), lower)
        }
    }
}

fn before(places: &[Place<u64>], start: u64) -> Option<Target> {
    places.iter().rev().find(|(other, _)| *other < start).map(|(_, target)| *target)
}

/// Adds a place, unless it leads where the last one does.
pub fn push<N>(places: &mut Vec<Place<N>>, start: N, target: Target) {
    if places.last().is_none_or(|(_, last)| *last != target) {
        places.push((start, target));
    }
}

/// Where the lower half of an argument lies in struct seccomp_data, linux/seccomp.h.
pub fn lower(argument: u8) -> u32 {
    16 + 8 * u32::from(argument)
}

/// Where the upper half lies; both machines store the lower one first.
pub fn upper(argument: u8) -> u32 {
    lower(argument) + 4
}
