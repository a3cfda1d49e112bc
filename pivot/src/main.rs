//! Makes a directory the root and runs the rest of the line in it: an exec link.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the options |
//! | [`plan`] | what is to be done, as plain data |
//! | [`defaults`] | what a new root gets when nothing else is said: tables |
//! | [`namespace`] | namespaces that nobody else shares |
//! | [`root`] | what becomes the root, what is mounted and changed in it, the switch |
//! | [`layers`] | directories laid over one another |
//! | [`mount`] | mounts by descriptor |
//! | [`inside`] | paths resolved inside the root |
//! | [`table`] | the table of mounts |
//! | [`confine`] | what is taken from the command |
//! | [`seccomp`] | which system calls it may make |
//! | [`environment`] | its variables |
//! | [`command`] | becoming the command |
//! | [`explain`] | all of that, told instead of done |

#![cfg_attr(not(test), no_main)]

mod cli;
mod command;
mod confine;
mod defaults;
mod environment;
mod explain;
mod inside;
mod layers;
mod mount;
mod namespace;
mod plan;
mod root;
mod seccomp;
mod table;

use confine::Confinement;
use confine::session::Session;
use std::os::fd::BorrowedFd;

chain::main!("pivot", run);

fn run(options: cli::Options) -> chain::Result<u8> {
    let caller = namespace::Caller::find()?;
    let plan = plan::Plan::new(options)?;
    if let Some(form) = plan.explain {
        return explain::print(&plan, form);
    }
    let namespaces = plan.namespaces();
    let mut confinement = Confinement::prepare(plan.policy, plan.command.keep.clone())?;
    let mut session = Session::plan(&confinement);
    let mut command = command::Command::new(plan.command)?;
    confinement.begin()?;
    let rules = mount::bind::Rules::of(&plan.look);
    let steps = mount::bind::take_early(plan.steps, rules)?;
    caller.enter_own(&namespaces, rules.cut)?;
    namespace::set_names(&plan.names)?;
    let root = root::Root::open(plan.root)?;
    let work = mount::prepare(steps, rules)?;
    let tree = root.attach(&plan.look, caller.program)?;
    let look = |root: BorrowedFd<'_>| {
        session.look_inside(root)?;
        confinement.look_inside(root, command.lacks_home())
    };
    let (start, account) = tree.furnish_and_enter(work, &plan.masks, plan.directory.as_deref(), look)?;
    account.iter().for_each(|account| command.tell_account(account));
    session.run(confinement, command, start)
}
