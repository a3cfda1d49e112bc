//! What can be seen of groups: which there are, what is in them, what they use, and what happens to them.
//!
//! | module | what it holds |
//! |---|---|
//! | [`listing`], [`population`] | the groups; the processes in one |
//! | [`stat`], [`top`] | what a group uses, once and again and again |
//! | [`observer`], [`watch`] | what happens to it; waiting for that |
//! | [`branches`] | the lines of a tree |

pub mod branches;
pub mod listing;
pub mod observer;
pub mod population;
pub mod stat;
pub mod top;
pub mod watch;
