//! nftables by netlink: the elements of maps, tables and chains. The kernel's linux/netfilter/nf_tables.h says what
//! the numbers mean; what is written here, `nft list ruleset` shows.
//!
//! | module | what it holds |
//! |---|---|
//! | [`attributes`] | attributes out and in |
//! | [`elements`] | the elements of a map |
//! | [`flows`] | the flows that the kernel remembers |
//! | [`chains`] | the chains of all tables that see forwarded packets |

pub mod attributes;
pub mod chains;
pub mod elements;
pub mod flows;

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
const INET: u8 = 1;
const GET_TABLE: u8 = 1;
const DELETE_TABLE: u8 = 2;
/// How long a process may take to end.
const LONGEST: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// As many acknowledgements as surely fit into the socket's queue.
const AT_ONCE: usize = 64;
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

    /// Asks for all of a kind; `take` gets the attributes of each answer, after the family that it is of.
    pub fn dump(&mut self, question: Frame, mut take: impl FnMut(u8, &[u8])) -> Result<(), Refusal> {
        let frame = Frame { flags: NLM_F_ACK | NLM_F_DUMP, ..question };
        let refusals = self.0.exchange(&[frame], |_, _, body| {
            if let [family, _, _, _, attributes @ ..] = body {
                take(*family, attributes);
            }
        })?;
        refusals.into_iter().flatten().next().map_or(Ok(()), Err)
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

    /// The names of the tables of IPv4 and IPv6.
    pub fn tables(&mut self) -> Result<Vec<String>, Refusal> {
        let mut names = Vec::new();
        let question = change(GET_TABLE, 0, Vec::new());
        self.dump(question, |_, attributes| names.extend(attributes::find_text(attributes, TABLE_NAME)))?;
        Ok(names)
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
    pub fn delete_table(&mut self, table: &str) -> Result<(), Refusal> {
        let change = change(DELETE_TABLE, 0, attributes::text(TABLE_NAME, table));
        match self.transact(vec![change]) {
            Err(refusal) if refusal.errno == Errno::ENOENT => Ok(()),
            other => other,
        }
    }
}

/// The flags of something new that must not be there yet.
const NEW: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// A message for the tables of IPv4 and IPv6; `number` is its `NFT_MSG_*`.
fn change(number: u8, flags: u16, attributes: Vec<u8>) -> Frame {
    let mut body = vec![INET, 0, 0, 0];
    body.extend(attributes);
    Frame { kind: SUBSYSTEM << 8 | u16::from(number), flags: flags | NLM_F_ACK, body }
}

fn limit(kind: u16) -> Frame {
    let [high, low] = SUBSYSTEM.to_be_bytes();
    Frame { kind, flags: 0, body: vec![0, 0, high, low] }
}
