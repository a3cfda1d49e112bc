//! Control groups: makes one, runs the rest of the line in it, and takes it away.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`], [`verbs`] | the verbs, a file for each |
//! | [`request`] | the words before `--`: a name and settings |
//! | [`setting`], [`size`], [`duration`] | the table of keys; values and their units |
//! | [`hierarchy`] | what is mounted, and where this process stands in it |
//! | [`plan`] | which file of which hierarchy gets which text |
//! | [`place`] | where groups may be made |
//! | [`directory`] | one directory of a group: made, locked, emptied, removed |
//! | [`controllers`] | cgroup v2: controllers enabled from the top down |
//! | [`parent`], [`existing`] | a group that is there, found by its name |
//! | [`enter`] | a process goes into a group, or is told why not |
//! | [`group`] | the directories of one group together |
//! | [`job`], [`watch`] | the command of `new`: its time, its files, its end |
//! | [`counters`], [`report`], [`status`] | what the kernel counted, and who is told |
//! | [`limits`] | what the limits did |
//! | [`gc`] | what a killed cgctl left behind |
//! | [`advice`] | what helps when the kernel refuses |
//! | [`tree`], [`lock`], [`mark`], [`file`], [`patience`] | groups below groups; ownership; small files; waits that end |
#![cfg_attr(not(test), no_main)]

mod advice;
mod cli;
mod controllers;
mod counters;
mod directory;
mod duration;
mod enter;
mod evacuate;
mod existing;
mod file;
mod gc;
mod group;
mod hierarchy;
mod job;
mod limits;
mod lock;
mod mark;
mod parent;
mod patience;
mod place;
mod plan;
mod report;
mod request;
mod setting;
mod size;
mod status;
mod systemd;
mod tree;
mod verbs;
mod watch;

chain::main!("cgctl", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    options.verb.run()
}
