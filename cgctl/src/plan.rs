//! Which file of which hierarchy gets which text, or why none does. Plain data: nothing is changed here.
//!
//! | module | what it holds |
//! |---|---|
//! | [`draw`] | a plan made of settings |
//! | [`swap`] | swap, which each version counts in its own way |
//! | [`order`] | what must be written before what |
//! | [`refusal`], [`advice`] | why a setting is refused, here and by the kernel; what helps |

pub mod advice;
pub mod draw;
pub mod order;
pub mod refusal;
pub mod swap;

use crate::vocabulary::value::Amount;

/// A line for a file of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The place in [`Hierarchies`](crate::hierarchy::Hierarchies).
    pub hierarchy: usize,
    /// The name of the file.
    pub file: String,
    /// What it gets; [`INHERIT`] stands for what the group above has.
    pub text: String,
    /// The word of the user's behind it; `None` for what follows from another, and is left out without its file.
    pub word: Option<String>,
    /// Writes of a lower rank come first.
    pub rank: i8,
}

/// To v2 an empty list means what the group above has; for v1 it is copied from there.
pub const INHERIT: &str = "\n";

/// A hierarchy in which the group gets a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The place in [`Hierarchies`](crate::hierarchy::Hierarchies).
    pub hierarchy: usize,
    /// What has to be enabled there.
    pub controllers: Vec<String>,
}

/// What is to be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// Never empty. The first tracks the group: it is made first and removed last.
    pub uses: Vec<Use>,
    /// In the order in which the kernel accepts them.
    pub writes: Vec<Write>,
}

/// What a group has now, where that matters for what is written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present {
    /// The memory limit.
    pub memory: Amount,
    /// The swap limit; `None` when swap is not counted.
    pub swap: Option<Amount>,
    /// The burst of the processor quota.
    pub burst: u64,
}

impl Present {
    /// Of a group that has just been made.
    pub const NEW: Present = Present { memory: Amount::Max, swap: Some(Amount::Max), burst: 0 };
}
