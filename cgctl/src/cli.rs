//! The verbs; their options stand beside what they do, in [`verbs`](crate::verbs).

use crate::existing::Group;
use crate::hierarchy::Hierarchies;
use crate::hierarchy::parent::Parent;
use crate::verbs::{
    delegate, events, exec, freeze, gc, get, info, keys, kill, ls, r#move, new, pids, rm, set, stat, top,
    wait,
};
use chain::Result;
use std::ffi::OsString;

/// Control groups: limit a command, run it, clean up after it
#[derive(clap::Parser, Debug)]
#[command(version, disable_help_subcommand = true)]
pub struct Options {
    #[command(subcommand)]
    pub verb: Verb,
}

/// What is to be done.
#[derive(clap::Subcommand, Debug)]
pub enum Verb {
    New(new::Options),
    Set(set::Options),
    Get(get::Options),
    Exec(exec::Options),
    Ls(ls::Options),
    Stat(stat::Options),
    Top(top::Options),
    Pids(pids::Options),
    Move(r#move::Options),
    Freeze(freeze::Freeze),
    Thaw(freeze::Thaw),
    Kill(kill::Options),
    Wait(wait::Options),
    Events(events::Options),
    Rm(rm::Options),
    Delegate(delegate::Options),
    Gc(gc::Options),
    Keys(keys::Options),
    Info(info::Options),
}

impl Verb {
    /// Does it, and gives the exit status.
    pub fn run(self) -> Result<u8> {
        match self {
            Verb::New(options) => new::run(options),
            Verb::Set(options) => set::run(&options),
            Verb::Get(options) => get::run(&options),
            Verb::Exec(options) => exec::run(&options),
            Verb::Ls(options) => ls::run(&options),
            Verb::Stat(options) => stat::run(&options),
            Verb::Top(options) => top::run(&options),
            Verb::Pids(options) => pids::run(&options),
            Verb::Move(options) => r#move::run(&options),
            Verb::Freeze(options) => freeze::freeze(&options),
            Verb::Thaw(options) => freeze::thaw(&options),
            Verb::Kill(options) => kill::run(&options),
            Verb::Wait(options) => wait::run(&options),
            Verb::Events(options) => events::run(&options),
            Verb::Rm(options) => rm::run(&options),
            Verb::Delegate(options) => delegate::run(&options),
            Verb::Keys(options) => keys::run(&options),
            Verb::Gc(options) => gc::run(&options),
            Verb::Info(options) => info::run(&options),
        }
    }
}

/// Where names begin.
#[derive(clap::Args, Debug, Default)]
pub struct Where {
    /// The group in which names begin (default: $CGCTL_PARENT, or else /cgctl)
    #[arg(long, value_name = "GROUP")]
    parent: Option<OsString>,
}

impl Where {
    /// What the option, or else the environment, says.
    pub fn parent(&self) -> Result<Parent> {
        Parent::read(self.parent.as_deref())
    }
}

/// A group that is there.
#[derive(clap::Args, Debug)]
pub struct Named {
    #[command(flatten)]
    pub place: Where,

    /// The group: a name, or a path from the top that begins with /
    #[arg(value_name = "NAME")]
    pub name: OsString,
}

impl Named {
    /// Finds it.
    pub fn find(&self, all: &Hierarchies) -> Result<Group> {
        Group::find(&self.name, &self.place.parent()?, all)
    }
}
