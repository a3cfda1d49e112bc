//! Becoming the command, in its environment.

use crate::plan::Plan;
use chain::exec::{Environment, exec, exec_login, exec_with};
use chain::ns::Kind;
use chain::{Error, fresh};

/// Becomes the command of the plan; returns only to say why not.
pub fn become_it(plan: &Plan) -> Error {
    let environment = match mark(plan) {
        None => plan.environment.clone(),
        Some(told) => {
            let mut environment = plan.environment.clone().unwrap_or_else(Environment::current);
            environment.set(fresh::VARIABLE, told);
            Some(environment)
        }
    };
    match environment {
        _ if plan.command.is_empty() => {
            exec_login(&plan.shell, &environment.unwrap_or_else(Environment::current))
        }
        None => exec(&plan.command),
        Some(environment) => exec_with(&plan.command, &environment),
    }
}

/// Tells the next link that nobody can share its mount namespace yet: one clone made it together with the pid
/// namespace. `pivot` checks that, and need not make a mount namespace again.
fn mark(plan: &Plan) -> Option<String> {
    let is_new = |kind| plan.kinds.contains(&kind);
    if !plan.is_born_inside() || !is_new(Kind::Mount) || !is_new(Kind::Pid) {
        return None;
    }
    fresh::mark(if plan.init { 2 } else { 1 })
}
