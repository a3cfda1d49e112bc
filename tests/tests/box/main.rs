//! `box` on the real kernel: each test has a store, a run directory and a network of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod changes;
mod copy;
mod exec;
mod explain;
mod images;
mod network;
mod options;
mod rootless;
mod run;
mod state;
mod terminal;
mod trouble;
mod watch;
mod world;
