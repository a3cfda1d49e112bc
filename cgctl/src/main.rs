//! Control groups: makes one, runs the rest of the line in it, and takes it away.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`], [`verbs`] | the verbs, a file for each |
//! | [`request`] | the words before `--`: a name and settings |
//! | [`keys`], [`table`], [`kernel`] | the table of keys: the file of each version, how it is written and read |
//! | [`setting`], [`words`], [`size`], [`duration`], [`device`], [`value`] | what a word means; values and their units |
//! | [`hierarchy`] | what is mounted, and where this process stands in it |
//! | [`plan`], [`swap`], [`refusal`] | which file of which hierarchy gets which text, or why none |
//! | [`place`] | where groups may be made |
//! | [`directory`] | one directory of a group: made, locked, emptied, removed |
//! | [`controllers`] | cgroup v2: controllers enabled from the top down |
//! | [`parent`], [`existing`] | a group that is there, found by its name |
//! | [`read`], [`change`], [`extend`] | its limits told and changed |
//! | [`enter`] | a process goes into a group, or is told why not |
//! | [`group`] | the directories of one group together |
//! | [`job`], [`cut`] | the command of `new`: its time, its files, its end |
//! | [`counters`], [`report`], [`status`] | what the kernel counted, and who is told |
//! | [`limits`] | what the limits did |
//! | [`gc`] | what a killed cgctl left behind |
//! | [`listing`], [`population`] | the groups that are there; the processes in one |
//! | [`stat`], [`top`] | what a group uses, once and again and again |
//! | [`observer`], [`watch`] | what happens to it |
//! | [`freezer`], [`moving`], [`removal`] | what is done to a group that is there |
//! | [`delegate`], [`usable`], [`systemd`] | groups given to users; what a user can do; what is systemd's |
//! | [`probe`] | what the kernel has, as other groups show it |
//! | [`evacuate`] | processes moved out of the way |
//! | [`advice`] | what helps when the kernel refuses |
//! | [`branches`], [`tree`], [`lock`], [`mark`], [`file`], [`patience`] | groups below groups; ownership; small files; waits that end |
#![cfg_attr(not(test), no_main)]

mod advice;
mod branches;
mod change;
mod cli;
mod controllers;
mod counters;
mod cut;
mod delegate;
mod device;
mod directory;
mod duration;
mod enter;
mod evacuate;
mod existing;
mod extend;
mod file;
mod freezer;
mod gc;
mod group;
mod hierarchy;
mod job;
mod kernel;
mod keys;
mod limits;
mod listing;
mod lock;
mod mark;
mod moving;
mod observer;
mod parent;
mod patience;
mod place;
mod plan;
mod population;
mod probe;
mod read;
mod refusal;
mod removal;
mod report;
mod request;
mod setting;
mod size;
mod stat;
mod status;
mod swap;
mod systemd;
mod table;
mod top;
mod tree;
mod usable;
mod value;
mod verbs;
mod watch;
mod words;

chain::main!("cgctl", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    options.verb.run()
}
