//! The trees of groups that the kernel has: where they are, where groups may be made in them, and their files.
//!
//! | module | what it holds |
//! |---|---|
//! | [`mounted`] | the hierarchies, and where this process stands in each |
//! | [`mountinfo`] | how that is read |
//! | [`place`] | where groups may be made |
//! | [`parent`] | the user's names, and the ways that lead to a group |
//! | [`usable`], [`probe`] | what this user can do; what the kernel has, as other groups show it |
//! | [`systemd`] | groups that are systemd's |
//! | [`mod@file`], [`tree`] | small files; groups below groups |
//! | [`events`], [`patience`] | waiting for the kernel; waits that end |

pub mod events;
pub mod file;
pub mod mounted;
pub mod mountinfo;
pub mod parent;
pub mod patience;
pub mod place;
pub mod probe;
pub mod systemd;
pub mod tree;
pub mod usable;

pub use mounted::{Hierarchies, Hierarchy, Version, from_ours_on, is_ours};
