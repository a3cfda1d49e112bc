//! What is done to groups that are there: on this machine, on pure cgroup v2 and on v1 alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

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

#[test]
fn the_same_tests_pass_on_pure_cgroup_v2() {
    common::on_pure_v2();
}

#[test]
fn the_same_tests_pass_on_cgroup_v1_alone() {
    common::on_v1_alone();
}
