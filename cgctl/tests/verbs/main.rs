//! What is done to groups that are there.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod empty;
mod events;
mod freeze;
mod gc;
mod kill;
mod list;
mod moving;
mod races;
mod rm;
mod stat;
mod support;
mod top;
