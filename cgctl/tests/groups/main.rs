//! What is done to groups that are there: on this host's hierarchies, on v1 alone, and on v2 alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod again;
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
