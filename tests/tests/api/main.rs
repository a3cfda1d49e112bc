//! `box serve` on the real kernel: what it answers, to whom, and what is left of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod browser;
mod calls;
mod client;
mod curl;
mod life;
mod many;
mod page;
mod refused;
mod schema;
mod served;
mod streams;
#[allow(dead_code, reason = "the tests of box use all of it")]
#[path = "../box/world.rs"]
mod world;
