//! The rules of the older iptables: linux/netfilter_ipv4/ip_tables.h and linux/netfilter_ipv6/ip6_tables.h. Asking
//! for a table makes it, so only those that are there are asked for.

use super::wall::{Keeper, Wall};
use crate::survey::reading::Verdict;
use chain::sys::net::option;
use nix::errno::Errno;
use nix::libc::{IPPROTO_IP, IPPROTO_IPV6, NFPROTO_IPV4, NFPROTO_IPV6};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use std::fs;
use std::os::fd::AsFd;

/// `IPT_SO_GET_INFO` and `IPT_SO_GET_ENTRIES`, of IPv6 the same.
const GET_INFO: i32 = 64;
const GET_ENTRIES: i32 = 65;
const TABLE: &[u8] = b"filter";
const CHAIN: &str = "FORWARD";
/// `NF_INET_FORWARD`.
const FORWARD: usize = 2;
/// struct ipt_getinfo: a name of 32 bytes, the hooks, five places where chains begin, five where they end, the number
/// of rules, and the bytes that they take.
const INFO: usize = 84;
const BEGINS: usize = 36;
const ENDS: usize = 56;
const BYTES: usize = 80;
/// struct ipt_get_entries, up to the first rule.
const HEAD: usize = 40;
/// struct xt_standard_target: a size of two bytes, a name, which is empty, and the verdict.
const TARGET_NAME: usize = 2;
const STANDARD: &[u8] = b"\0";
const REJECT: &[u8] = b"REJECT\0";
const VERDICT: usize = 32;
/// -NF_DROP - 1 and -NF_ACCEPT - 1.
const DROP: i32 = -1;
const ACCEPT: i32 = -2;
/// `IFNAMSIZ` of linux/if.h.
const NAME: usize = 16;

/// Where things are in a rule, struct ipt_entry or struct ip6t_entry.
struct Layout {
    family: i32,
    names: &'static str,
    socket: AddressFamily,
    level: i32,
    incoming: usize,
    outgoing: usize,
    inverse: usize,
    target: usize,
    next: usize,
    size: usize,
}

const LAYOUTS: [Layout; 2] = [
    Layout {
        family: NFPROTO_IPV4,
        names: "/proc/net/ip_tables_names",
        socket: AddressFamily::Inet,
        level: IPPROTO_IP,
        incoming: 16,
        outgoing: 32,
        inverse: 83,
        target: 88,
        next: 90,
        size: 112,
    },
    Layout {
        family: NFPROTO_IPV6,
        names: "/proc/net/ip6_tables_names",
        socket: AddressFamily::Inet6,
        level: IPPROTO_IPV6,
        incoming: 64,
        outgoing: 80,
        inverse: 132,
        target: 140,
        next: 142,
        size: 168,
    },
];

/// The tables of one family; what is known of its chain for what is forwarded.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Old {
    family: u8,
    drops: bool,
    /// The interfaces that rules accept packets from, and those that rules accept packets to.
    incoming: Vec<String>,
    outgoing: Vec<String>,
}

/// The families that have such tables.
pub fn read() -> Vec<Old> {
    LAYOUTS.iter().filter_map(of_family).collect()
}

fn of_family(layout: &Layout) -> Option<Old> {
    let names = fs::read_to_string(layout.names).ok().filter(|names| !names.is_empty())?;
    let old = Old { family: layout.family as u8, ..Old::default() };
    let has_filter = names.lines().any(|name| name.as_bytes() == TABLE);
    // Without the right to look nothing is known of it.
    let forward = has_filter.then(|| forward(layout).ok()).flatten();
    Some(
        forward
            .and_then(|rules| learn(layout, &rules))
            .map_or(old, |known| Old { family: layout.family as u8, ..known }),
    )
}

/// The rules of the chain, and last its policy, which is a rule for all.
fn forward(layout: &Layout) -> Result<Vec<u8>, Errno> {
    let socket = socket(layout.socket, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let mut info = vec![0; INFO];
    info[..TABLE.len()].copy_from_slice(TABLE);
    option(socket.as_fd(), layout.level, GET_INFO, &mut info)?;
    let at = |offset| number(&info, offset).ok_or(Errno::EINVAL);
    let (begin, end, size) = (at(BEGINS + 4 * FORWARD)?, at(ENDS + 4 * FORWARD)?, at(BYTES)?);
    let mut all = vec![0; HEAD + size];
    all[..TABLE.len()].copy_from_slice(TABLE);
    all[32..36].copy_from_slice(&(size as u32).to_ne_bytes());
    option(socket.as_fd(), layout.level, GET_ENTRIES, &mut all)?;
    let policy = all.get(HEAD + end..).ok_or(Errno::EINVAL)?;
    let length = half(policy, layout.next).ok_or(Errno::EINVAL)?;
    all.get(HEAD + begin..HEAD + end + length).map(<[u8]>::to_vec).ok_or(Errno::EINVAL)
}

fn learn(layout: &Layout, mut rules: &[u8]) -> Option<Old> {
    let mut old = Old::default();
    while !rules.is_empty() {
        let length = half(rules, layout.next).filter(|length| *length > 0)?;
        let (rule, rest) = rules.split_at_checked(length)?;
        let at = half(rule, layout.target)?;
        let verdict = verdict(rule.get(at..)?);
        let is_for_all = at == layout.size && rule.get(..=layout.inverse)?.iter().all(|byte| *byte == 0);
        if is_for_all && verdict.is_some() {
            // What follows sees nothing, as after the policy.
            old.drops = verdict == Some(Verdict::Drop);
            break;
        }
        if verdict == Some(Verdict::Accept) && *rule.get(layout.inverse)? == 0 {
            old.incoming.extend(name(rule.get(layout.incoming..)?));
            old.outgoing.extend(name(rule.get(layout.outgoing..)?));
        }
        rules = rest;
    }
    Some(old)
}

/// What a target does; none where that is another chain's or a program's to say.
fn verdict(target: &[u8]) -> Option<Verdict> {
    let name = target.get(TARGET_NAME..)?;
    match number(target, VERDICT).map(|number| (number as u32).cast_signed()) {
        Some(DROP) if name.starts_with(STANDARD) => Some(Verdict::Drop),
        Some(ACCEPT) if name.starts_with(STANDARD) => Some(Verdict::Accept),
        _ => name.starts_with(REJECT).then_some(Verdict::Drop),
    }
}

fn name(bytes: &[u8]) -> Option<String> {
    let name = bytes.get(..NAME)?.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(name).into_owned())
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

impl Old {
    /// `NFPROTO_*`.
    pub fn family(&self) -> u8 {
        self.family
    }

    /// It drops what goes to and comes from an interface.
    pub fn is_against(&self, near: &str) -> bool {
        let accepts = |names: &[String]| names.iter().any(|name| name == near);
        self.drops && !(accepts(&self.incoming) && accepts(&self.outgoing))
    }

    /// The same as others have it.
    pub fn wall(&self) -> Wall {
        let chain = CHAIN.to_owned();
        Wall {
            keeper: Keeper::OldTables,
            family: self.family,
            table: "filter".to_owned(),
            front: chain.clone(),
            chain,
        }
    }
}
