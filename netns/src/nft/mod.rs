//! nftables by netlink: the elements of maps, tables and chains. The kernel's linux/netfilter/nf_tables.h says what
//! the numbers mean; what is written here, `nft list ruleset` shows.
//!
//! | module | what it holds |
//! |---|---|
//! | [`attributes`], [`comment`] | what messages are made of |
//! | [`ruleset`] | tables, chains, rules and sets, read |
//! | [`elements`] | the elements of a map |
//! | [`rules`] | rules in the tables of others |
//! | [`flows`] | connections that the kernel follows |

pub mod attributes;
pub mod comment;
pub mod elements;
pub mod flows;
pub mod rules;
pub mod ruleset;

use crate::netlink::socket::{Frame, Refusal, Socket};
use chain::Result;
use chain::sys::fd::close_from_3_except;
use chain::sys::process::{Fork, clone3};
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use netlink_sys::protocols::NETLINK_NETFILTER;
use nix::errno::Errno;
use rustix::event::{Timespec, poll};
use rustix::process::{Pid, Signal, getpid, getppid, set_parent_process_death_signal};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
/// `NFNL_SUBSYS_NFTABLES`.
const SUBSYSTEM: u16 = 10;
/// `NFPROTO_INET`: IPv4 and IPv6.
pub const INET: u8 = 1;
/// `NFPROTO_BRIDGE`: what goes through bridges.
pub const BRIDGE: u8 = 7;
const DELETE_TABLE: u8 = 2;
/// How long a process may take to end.
const LONGEST: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// As many acknowledgements as surely fit into the socket's queue.
const AT_ONCE: usize = 64;
/// How often a list is asked for anew that changed while it was read.
const TRIES: usize = 20;
const TABLE_NAME: u16 = 1;

/// A connection to nftables in one network namespace.
#[derive(Debug)]
pub struct Nft(Socket);

impl Nft {
    /// To the network namespace that this process is in.
    pub fn open() -> Result<Self> {
        Socket::open(NETLINK_NETFILTER).map(Nft)
    }

    /// Does all of it or nothing: one transaction. The first refusal is the error.
    pub fn transact(&mut self, changes: Vec<Frame>) -> Result<(), Refusal> {
        let mut frames = Vec::with_capacity(changes.len() + 2);
        frames.push(limit(BATCH_BEGIN));
        frames.extend(changes);
        frames.push(limit(BATCH_END));
        let refusals = self.0.exchange(&frames, |_, _, _| {})?;
        refusals.into_iter().flatten().next().map_or(Ok(()), Err)
    }

    /// Asks for all of a kind, and once more when it changed meanwhile; `read` gets the family and the attributes of
    /// each answer.
    pub fn list<T>(
        &mut self,
        question: Frame,
        read: impl Fn(u8, &[u8]) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        let frame = [Frame { flags: NLM_F_ACK | NLM_F_DUMP, ..question }];
        for _ in 0..TRIES {
            let mut all = Vec::new();
            let refusals = self.0.exchange(&frame, |_, _, body| {
                if let [family, _, _, _, attributes @ ..] = body {
                    all.extend(read(*family, attributes));
                }
            })?;
            match refusals.into_iter().flatten().next() {
                None => return Ok(all),
                // A kernel without such things has none.
                Some(refusal) if [Errno::EOPNOTSUPP, Errno::EINVAL].contains(&refusal.errno) => {
                    return Ok(all);
                }
                Some(refusal) if refusal.errno == Errno::EINTR => {}
                Some(refusal) => return Err(refusal),
            }
        }
        Err(Errno::EINTR.into())
    }

    /// Does each by itself; what is not there any more is no failure.
    pub fn try_each(&mut self, changes: &[Frame]) -> Result<(), Refusal> {
        for changes in changes.chunks(AT_ONCE) {
            let refusals = self.0.exchange(changes, |_, _, _| {})?;
            let gone = |refusal: &Refusal| refusal.errno == Errno::ENOENT;
            if let Some(refusal) = refusals.into_iter().flatten().find(|refusal| !gone(refusal)) {
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Closes the connection in a process of its own, for which nobody waits: after something was removed, that
    /// takes until no processor can still be using it (`nft_rcv_nl_event` of net/netfilter/nf_tables_api.c).
    pub fn close_elsewhere(self) {
        let parent = Some(getpid());
        if let Ok(Fork::Child) = clone3(0, None) {
            let _ = self.hold_until_gone(parent);
            std::process::exit(0);
        }
    }

    /// Holds the socket, and nothing that somebody could wait for, until the process that had it first has ended.
    fn hold_until_gone(&self, parent: Option<Pid>) -> rustix::io::Result<()> {
        dup2_stdin(&self.0)?;
        dup2_stdout(&self.0)?;
        dup2_stderr(&self.0)?;
        let _ = close_from_3_except(&[]);
        set_parent_process_death_signal(Some(Signal::KILL))?;
        if getppid() == parent {
            poll(&mut [], Some(&LONGEST))?;
        }
        Ok(())
    }

    /// Removes a table with all that is in it; that there is none is no failure.
    pub fn delete_table(&mut self, family: u8, table: &str) -> Result<(), Refusal> {
        let change = change(family, DELETE_TABLE, 0, attributes::text(TABLE_NAME, table));
        match self.transact(vec![change]) {
            Err(refusal) if refusal.errno == Errno::ENOENT => Ok(()),
            other => other,
        }
    }
}

/// The flags of something new that must not be there yet.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// A message for the tables of a family; `number` is its `NFT_MSG_*`.
fn change(family: u8, number: u8, flags: u16, attributes: Vec<u8>) -> Frame {
    let mut body = vec![family, 0, 0, 0];
    body.extend(attributes);
    Frame { kind: SUBSYSTEM << 8 | u16::from(number), flags: flags | NLM_F_ACK, body }
}

fn limit(kind: u16) -> Frame {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Frame { kind, flags: 0, body: vec![0, 0, high, low] }
}
