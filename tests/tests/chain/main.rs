//! Whole chains on the real kernel. One executable, so that it can run once more inside another kernel.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod crash;
mod docs;
mod house;
mod limits;
mod mkrootfs;
mod network;
mod pipeline;
mod rootless;
mod signals;
mod status;
mod terminal;
mod uml;
mod walkthrough;
