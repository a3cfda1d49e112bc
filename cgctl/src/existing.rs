//! A group that is there: found by its name, read and changed.
//!
//! | module | what it holds |
//! |---|---|
//! | [`found`] | the group in every hierarchy that has it |
//! | [`read`], [`change`], [`extend`] | its limits told and changed, in one more hierarchy where that is needed |
//! | [`freezer`] | its processes stopped and continued |
//! | [`moving`] | a process moved into it |
//! | [`removal`] | taken away, with all that is in it |
//! | [`delegate`] | given to a user |

pub mod change;
pub mod delegate;
pub mod extend;
pub mod found;
pub mod freezer;
pub mod moving;
pub mod read;
pub mod removal;

pub use found::{Group, Part};
