//! Why a network namespace does not reach what it should, or is not reached: a table of checks.
//!
//! | module | what it holds |
//! |---|---|
//! | [`patient`] | a namespace, where its packets go, and what is known there |
//! | [`inside`] | its interfaces, addresses and routes |
//! | [`link`] | the pair and the bridge that it hangs on |
//! | [`host`] | whether the namespace behind the bridge passes its packets on |
//! | [`ports`] | published ports, and the connections that the kernel follows |
//! | [`resolver`] | where it looks for names |

mod host;
mod inside;
mod link;
pub mod patient;
mod ports;
mod resolver;

use crate::survey::Survey;
use chain::Result;
use patient::{Known, Patient};

/// A fault that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// What is wrong.
    pub message: String,
    /// The command lines that put it right, where such are known.
    pub cures: Vec<String>,
}

/// Looks for one fault, wherever it may be found.
type Check = fn(&Patient<'_>) -> Vec<Found>;

/// What is wrong, and what puts it right.
type Found = (String, Vec<String>);

/// All checks, from the inside out.
const CHECKS: [(&str, Check); 23] = [
    ("loopback", inside::loopback),
    ("interface", inside::interface),
    ("down", inside::down),
    ("carrier", link::carrier),
    ("wiring", link::wiring),
    ("bridge", link::bridge),
    ("bridge-ports", link::bridge_ports),
    ("address", inside::address),
    ("duplicate", link::duplicate),
    ("route", inside::route),
    ("gateway", link::gateway),
    ("mtu", link::mtu),
    ("resolver", resolver::loopback),
    ("forwarding", host::forwarding),
    ("table", host::table),
    ("masquerade", host::masquerade),
    ("firewall", host::firewall),
    ("br_netfilter", host::br_netfilter),
    ("rp_filter", host::rp_filter),
    ("hairpin", ports::hairpin),
    ("shadowed", ports::shadowed),
    ("stale-flow", ports::stale_flow),
    ("conntrack", ports::conntrack),
];

/// All that is wrong with a namespace, an index into the survey; `known` is for others that hang on the same one.
pub fn examine(survey: &Survey, space: usize, known: &mut Known) -> Result<Vec<Finding>> {
    let patient = Patient::of(survey, space, known)?;
    let find = |(check, run): (&'static str, Check)| {
        run(&patient).into_iter().map(move |(message, cures)| Finding { check, message, cures })
    };
    Ok(CHECKS.into_iter().flat_map(find).collect())
}
