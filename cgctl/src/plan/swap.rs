//! Swap in addition to memory, and the v1 file that counts both together.

use crate::hierarchy::Version;
use crate::plan::Present;
use crate::vocabulary::size::MOST;
use crate::vocabulary::value::Amount;

/// What is written for a limit that was asked for.
pub fn asked(version: Version, memory: Amount, swap: Amount) -> Result<Amount, String> {
    match (version, memory, swap) {
        (Version::V2, _, swap) => Ok(swap),
        (Version::V1, _, Amount::Max) => Ok(Amount::Max),
        (Version::V1, Amount::Number(memory), Amount::Number(swap)) => memory
            .checked_add(swap)
            .filter(|sum| *sum <= MOST)
            .map(Amount::Number)
            .ok_or("too large together with m".to_owned()),
        (Version::V1, Amount::Max, _) => {
            Err("cgroup v1 limits memory and swap together, so it needs m=SIZE".to_owned())
        }
    }
}

/// What is written when only a limit on memory was asked for: no swap, unless the group has been given some before.
pub fn implied(version: Version, memory: Amount, present: Present) -> Option<Amount> {
    let was_asked_for = present.memory != Amount::Max || present.swap != Some(Amount::Max);
    let swap = if was_asked_for { present.swap? } else { Amount::Number(0) };
    match (version, memory) {
        (Version::V2, Amount::Number(_)) => (!was_asked_for).then_some(swap),
        (Version::V2, Amount::Max) => None,
        (Version::V1, Amount::Max) => was_asked_for.then_some(Amount::Max),
        (Version::V1, memory) => asked(version, memory, swap).ok(),
    }
}

/// Neither limit of v1 may pass the other at any moment: both together go up first, and down last.
pub fn rank(version: Version, wanted: Amount, present: Present) -> i8 {
    let both = match (present.memory, present.swap) {
        (Amount::Number(memory), Some(Amount::Number(swap))) => Some(memory.saturating_add(swap)),
        _ => None,
    };
    match (version, wanted, both) {
        (Version::V1, Amount::Max, Some(_)) => -1,
        (Version::V1, Amount::Number(wanted), Some(now)) if wanted >= now => -1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn number(number: u64) -> Amount {
        Amount::Number(number)
    }

    #[test]
    fn the_limits_of_v1_never_pass_each_other() {
        let values = [number(10), number(20), number(30), Amount::Max];
        let raw = |amount: Amount| if let Amount::Number(number) = amount { number } else { u64::MAX };
        for memory in values {
            for swap in [number(0), number(10), Amount::Max] {
                let Ok(now) = asked(Version::V1, memory, swap) else { continue };
                let present = Present { memory, swap: Some(swap), burst: 0 };
                for wanted in values {
                    let Some(both) = implied(Version::V1, wanted, present) else { continue };
                    let up_first = rank(Version::V1, both, present) < 0;
                    let fits = if up_first { raw(both) >= raw(memory) } else { raw(wanted) <= raw(now) };
                    assert!(fits && raw(wanted) <= raw(both), "{memory:?}+{swap:?} -> {wanted:?}");
                }
            }
        }
    }

    #[test]
    fn swap_that_was_given_before_is_kept() {
        let given = |swap| Present { memory: number(10), swap: Some(swap), burst: 0 };
        assert_eq!(implied(Version::V1, number(20), given(number(5))), Some(number(25)));
        assert_eq!(implied(Version::V1, number(20), given(number(0))), Some(number(20)));
        assert_eq!(implied(Version::V1, number(20), given(Amount::Max)), Some(Amount::Max));
        assert_eq!(implied(Version::V1, Amount::Max, given(number(5))), Some(Amount::Max));
        assert_eq!(implied(Version::V2, number(20), given(number(5))), None);
        assert_eq!(implied(Version::V2, number(20), Present::NEW), Some(number(0)));
        assert_eq!(implied(Version::V2, Amount::Max, Present::NEW), None);
        assert_eq!(implied(Version::V1, number(20), Present { swap: None, ..Present::NEW }), None);
    }
}
