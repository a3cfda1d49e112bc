//! `netns doctor`: what is wrong, and what puts it right.

use crate::doctor::patient::Known;
use crate::doctor::{Finding, examine};
use crate::namespace::Which;
use crate::output::print;
use crate::survey::Survey;
use crate::survey::wiring::End;
use crate::verbs::whoami;
use chain::Result;
use chain::text::escape;
use std::net::IpAddr;

/// What it takes.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One JSON object per line and fault: netns, inode, check, message and cures
    #[arg(long)]
    json: bool,
    /// A name, process or file; without it all with a name, and all that are connected to here
    netns: Option<Which>,
}

/// Prints all that is wrong; the status is 1 when something is.
pub fn run(options: &Options) -> Result<u8> {
    let survey = Survey::take()?;
    let patients = match &options.netns {
        Some(netns) => vec![whoami::find(&survey, netns)?],
        None => (0..survey.spaces.len()).filter(|space| is_near(&survey, *space)).collect(),
    };
    let (mut lines, mut status, mut known) = (Vec::new(), 0, Known::new());
    for space in patients {
        let findings = examine(&survey, space, &mut known)?;
        status |= u8::from(!findings.is_empty());
        lines.extend(match options.json {
            true => findings.iter().map(|finding| json(&survey, space, finding)).collect(),
            false => text(&survey.spaces[space].label(), &findings),
        });
    }
    print(lines).map(|()| status)
}

/// It has a name, or the other end of a pair; but what this namespace itself goes by is not its patient.
fn is_near(survey: &Survey, index: usize) -> bool {
    let space = &survey.spaces[index];
    let leads_home = |number: u32| {
        let end = survey.wiring.peer(End { space: index, index: number });
        end.is_some_and(|end| survey.spaces[end.space].is_own)
    };
    let is_router = |ip: IpAddr| space.addresses.iter().any(|address| address.cidr.ip == ip);
    let is_beyond = survey
        .spaces
        .iter()
        .filter(|space| space.is_own)
        .flat_map(|own| &own.ways)
        .any(|way| way.via.is_some_and(is_router));
    let is_near = !space.names.is_empty() || space.links.iter().any(|link| leads_home(link.index));
    !space.is_own && space.trouble.is_none() && is_near && !is_beyond
}

fn text(label: &str, findings: &[Finding]) -> Vec<String> {
    let label = escape(label);
    if findings.is_empty() {
        return vec![format!("{label}: no fault found")];
    }
    let lines = |Finding { check, message, cures }: &Finding| {
        let cures = cures.iter().map(|cure| format!("  cure: {}", escape(cure)));
        std::iter::once(format!("{label}: {check}: {}", escape(message))).chain(cures).collect::<Vec<_>>()
    };
    findings.iter().flat_map(lines).collect()
}

fn json(survey: &Survey, space: usize, finding: &Finding) -> String {
    let space = &survey.spaces[space];
    serde_json::json!({
        "netns": space.label(),
        "inode": space.inode,
        "check": finding.check,
        "message": finding.message,
        "cures": finding.cures,
    })
    .to_string()
}
