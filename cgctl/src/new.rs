//! `cgctl new`: a group for one command.

use crate::cli;
use crate::group::Group;
use crate::hierarchy::Hierarchies;
use crate::plan::Plan;
use crate::report;
use crate::request::Request;
use chain::Result;
use chain::child::Parent;

/// Makes the group, runs the command in it, removes it, and gives the status of the command.
pub fn run(options: cli::New) -> Result<u8> {
    let request = Request::read(options)?;
    let hierarchies = Hierarchies::discover()?;
    let plan = Plan::new(&request.settings, &hierarchies)?;
    let parent = Parent::prepare()?;
    let group = Group::make(&plan, request.name.as_deref(), &hierarchies)?;
    let status = group.start(&parent, &request.command).and_then(|child| parent.wait(child));
    if let Err(e) = group.kill() {
        e.report();
    }
    report::tell(&group, &hierarchies);
    group.remove();
    status
}
