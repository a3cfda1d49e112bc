//! Groups that stay, groups inside groups, their limits, and who may do what: on this machine, on pure cgroup v2 and
//! on v1 alone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;

mod controllers;
mod delegate;
mod kept;
mod set;
mod staying;
mod vocabulary;

#[test]
fn the_same_tests_pass_on_pure_cgroup_v2() {
    common::on_pure_v2();
}

#[test]
fn the_same_tests_pass_on_cgroup_v1_alone() {
    common::on_v1_alone();
}
