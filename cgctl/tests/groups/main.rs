//! Groups that stay, groups inside groups, their limits, and who may do what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod controllers;
mod delegate;
mod kept;
mod set;
mod staying;
mod vocabulary;
