//! What a filter does, in words.

use super::compile::{decisions, newest};
use super::groups::{self, GROUPS, Group};
use super::machine::{Abi, Machine};
use super::profile::{Action, Profile};
use chain::sys::seccomp::Instruction;
use std::cmp::Reverse;

/// A policy, a line for each thing that can become of a call.
pub fn profile(machine: &Machine, profile: &Profile) -> Vec<String> {
    let mut lines = calls(machine, &machine.native, profile);
    if let Some(newest) = newest(&machine.native, profile) {
        lines.push(format!(
            "all after {}: there is no such call (ENOSYS)",
            name(machine, &machine.native, newest)
        ));
    }
    lines.push(match profile.compat {
        true => "32-bit programs: the same".to_owned(),
        false => "32-bit programs: killed".to_owned(),
    });
    if !profile.unknown.is_empty() {
        lines.push(format!("names of other machines or kernels, left out: {}", profile.unknown.join(" ")));
    }
    lines
}

/// A program that others made.
pub fn program(machine: &Machine, program: &[Instruction], denied: &Profile) -> Vec<String> {
    let file = format!("what a program of {} instructions says", program.len());
    if denied.first.is_empty() {
        return vec![file];
    }
    calls(machine, &machine.native, denied)
        .into_iter()
        .chain(["all that is not refused here: ".to_owned() + &file])
        .collect()
}

fn calls(machine: &Machine, abi: &Abi, profile: &Profile) -> Vec<String> {
    let decisions = decisions(abi, profile);
    let last = newest(abi, profile).unwrap_or(u32::MAX);
    let mut outcomes: Vec<(Option<Action>, Vec<&str>)> = Vec::new();
    for call in machine.syscalls {
        let Some(number) = abi.number(call).filter(|number| *number <= last) else { continue };
        let decision =
            decisions.binary_search_by_key(&number, |decision| decision.0).map(|at| &decisions[at]);
        let outcome = match decision {
            Err(_) => Some(profile.otherwise),
            Ok((_, alternatives, action)) if alternatives.is_empty() => Some(*action),
            Ok(_) => None,
        };
        match outcomes.iter_mut().find(|(other, _)| *other == outcome) {
            Some((_, names)) => names.push(call.name),
            None => outcomes.push((outcome, vec![call.name])),
        }
    }
    outcomes.sort_by_key(|(outcome, _)| outcome.map(|action| Reverse(action.value())));
    outcomes.iter().map(|(outcome, names)| line(machine, abi, *outcome, names)).collect()
}

/// More names than this are only counted.
const MANY: usize = 120;

fn line(machine: &Machine, abi: &Abi, outcome: Option<Action>, names: &[&str]) -> String {
    let what = match outcome {
        None => "by their arguments".to_owned(),
        Some(action) => words(action),
    };
    match outcome {
        _ if names.len() > MANY => format!("{what}: {} calls", names.len()),
        Some(action) if !action.permits() => format!("{what}: {}", grouped(machine, abi, names)),
        _ => format!("{what}: {}", names.join(" ")),
    }
}

/// The names, with groups in place of all of their calls.
fn grouped(machine: &Machine, abi: &Abi, names: &[&str]) -> String {
    let mut rest = names.to_vec();
    let mut words = Vec::new();
    let mut groups: Vec<_> = GROUPS.iter().filter_map(|group| members(machine, abi, group)).collect();
    groups.sort_by_key(|(_, calls)| Reverse(calls.len()));
    for (group, calls) in groups {
        if calls.iter().all(|call| names.contains(call)) && calls.iter().any(|call| rest.contains(call)) {
            rest.retain(|name| !calls.contains(name));
            words.push(format!("@{group}"));
        }
    }
    words.extend(rest.iter().map(ToString::to_string));
    words.join(" ")
}

/// The calls of a group that this ABI has; None for a group that looks at arguments.
fn members(machine: &Machine, abi: &Abi, group: &Group) -> Option<(&'static str, Vec<&'static str>)> {
    let rules = groups::deny(machine, &format!("@{}", group.name))?;
    let looks = rules.iter().any(|rule| !rule.conditions.is_empty());
    let calls = rules.iter().flat_map(|rule| &rule.calls).filter(|call| abi.number(call).is_some());
    (!looks).then(|| (group.name, calls.map(|call| call.name).collect()))
}

fn words(action: Action) -> String {
    match action {
        Action::Allow => "allowed".to_owned(),
        Action::Log => "allowed and logged".to_owned(),
        Action::Trace(_) => "told to a tracer".to_owned(),
        Action::Errno(1) => "refused (EPERM)".to_owned(),
        Action::Errno(38) => "said to be unknown (ENOSYS)".to_owned(),
        Action::Errno(number) => format!("refused with error {number}"),
        Action::Trap => "answered with SIGSYS".to_owned(),
        Action::KillThread => "the thread is killed".to_owned(),
        Action::KillProcess => "the process is killed".to_owned(),
    }
}

fn name(machine: &Machine, abi: &Abi, number: u32) -> &'static str {
    machine.syscalls.iter().find(|call| abi.number(call) == Some(number)).map_or("?", |call| call.name)
}
