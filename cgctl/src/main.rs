//! Control groups: makes one, runs the rest of the line in it, and takes it away.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`], [`verbs`] | the verbs, a file for each |
//! | [`vocabulary`] | what the words of a user mean: keys, values, units |
//! | [`hierarchy`] | what is mounted, and where groups may be made |
//! | [`plan`] | which file gets which text, or why none |
//! | [`group`] | a group of this process: made, locked, emptied, removed |
//! | [`command`] | the command of `new`: its time, its files, its end, and what its limits did |
//! | [`existing`] | a group that is there: found, read, changed, frozen, given to a user |
//! | [`view`] | groups listed, measured and watched |
#![cfg_attr(not(test), no_main)]

mod cli;
mod command;
mod existing;
mod group;
mod hierarchy;
mod plan;
mod verbs;
mod view;
mod vocabulary;

chain::main!("cgctl", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    options.verb.run()
}
