//! A group that this process owns: made, filled, emptied and removed.
//!
//! | module | what it holds |
//! |---|---|
//! | [`made`] | its directories in all hierarchies, as one thing |
//! | [`start`] | a command started in it |
//! | [`directory`] | its directory in one hierarchy |
//! | [`owner`] | whether it has one, and how it is taken over when it has none |
//! | [`claim`] | it is made |
//! | [`end`] | processes ended, and the directory removed |
//! | [`lock`], [`mark`] | who owns it: a lock; how long it stays: an attribute |
//! | [`controllers`], [`evacuate`] | v2: controllers enabled from the top down; processes moved out of the way |
//! | [`enter`] | a process goes into a group, or is told why not |
//! | [`gc`] | what a killed cgctl left behind |

pub mod claim;
pub mod controllers;
pub mod directory;
pub mod end;
pub mod enter;
pub mod evacuate;
pub mod gc;
pub mod lock;
pub mod made;
pub mod mark;
pub mod owner;
pub mod start;

pub use directory::{Directories, Directory};
pub use made::{Group, Part};
