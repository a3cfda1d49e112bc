//! A netlink socket of any protocol: netlink(7).
//!
//! The kernel does what a message asks, and queues its answers, before sendmsg(2) returns; a dump goes on as it is
//! read. So reading never has to wait, and when nothing more is there although something is due, that is an error.

use chain::error::Cannot;
use chain::{Error, Result};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_ALIGNTO, NLMSG_DONE,
    NLMSG_ERROR, NLMSG_NOOP, NlasIterator,
};
use nix::errno::Errno;
use nix::libc::{EIO, MSG_DONTWAIT};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// The length of struct nlmsghdr.
const HEADER: usize = 16;
/// `NLMSGERR_ATTR_MSG` of linux/netlink.h.
const ATTR_MSG: u16 = 1;
/// The kernel fills at most this much in one go (`netlink_recvmsg` of net/netlink/af_netlink.c).
const LARGEST: usize = 32 << 10;

/// A message on its way out, without its header.
#[derive(Debug, Clone)]
pub struct Frame {
    /// `RTM_*`, `NFNL_*` and the like.
    pub kind: u16,
    /// `NLM_F_*` bits; NLM_F_REQUEST is added. What has NLM_F_ACK is waited for, a dump up to its end.
    pub flags: u16,
    /// What follows the header.
    pub body: Vec<u8>,
}

/// The kernel's no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its number.
    pub errno: Errno,
    /// Its words, where it has any: the extended acknowledgement.
    pub words: Option<String>,
}

impl Refusal {
    /// The refusal as an error message; `what` follows "cannot".
    pub fn of(self, what: &str) -> Error {
        let error = match self.words {
            Some(words) => Error::os_because(what, self.errno, words),
            None => Error::os(what, self.errno),
        };
        error.hint_if(
            Errno::EPERM,
            "run it as root, or as root of a user and a network namespace: `unshare-rs -Urn`",
        )
    }
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Refusal { errno, words: None }
    }
}

/// An open socket. It belongs to the network namespace that it was opened in, wherever this process goes.
#[derive(Debug)]
pub struct Socket {
    socket: netlink_sys::Socket,
    sequence: u32,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens one for `NETLINK_ROUTE`, `NETLINK_NETFILTER` and so on, in the network namespace of this process.
    pub fn open(protocol: isize) -> Result<Self> {
        let open = || {
            let socket = netlink_sys::Socket::new(protocol)?;
            socket.set_ext_ack(true)?;
            socket.set_cap_ack(true)?;
            socket.set_netlink_get_strict_chk(true)?;
            io::Result::Ok(socket)
        };
        let socket = open().cannot("open a netlink socket")?;
        Ok(Socket { socket, sequence: 0, buffer: Vec::with_capacity(LARGEST) })
    }

    /// Sends all frames in one go, and waits for what each of them asks for.
    ///
    /// `take` gets every answer: the index of its frame, its kind and its body. The result has an element for each
    /// frame. The kernel goes on after a frame that it refuses; but a refusal of one that asks for no
    /// acknowledgement, as the begin of an nftables batch, is the end of all.
    pub fn exchange(
        &mut self,
        frames: &[Frame],
        mut take: impl FnMut(usize, u16, &[u8]),
    ) -> Result<Vec<Option<Refusal>>, Errno> {
        let first = self.sequence;
        self.send(frames)?;
        let mut due: Vec<bool> = frames.iter().map(|frame| frame.flags & NLM_F_ACK != 0).collect();
        let mut refusals = vec![None; frames.len()];
        while due.contains(&true) {
            self.fill(MSG_DONTWAIT)?;
            for message in messages(&self.buffer) {
                let index = message.sequence.wrapping_sub(first) as usize;
                let Some(slot) = refusals.get_mut(index) else { continue };
                if message.flags & NLM_F_DUMP_INTR != 0 {
                    *slot = Some(Errno::EINTR.into());
                }
                match message.kind {
                    NLMSG_NOOP => {}
                    NLMSG_ERROR | NLMSG_DONE => {
                        let was_due = std::mem::take(&mut due[index]);
                        if let Some(refusal) = message.refusal() {
                            *slot = Some(refusal);
                            if !was_due {
                                due.fill(false);
                            }
                        }
                    }
                    kind => take(index, kind, message.body),
                }
            }
        }
        Ok(refusals)
    }

    fn send(&mut self, frames: &[Frame]) -> Result<(), Errno> {
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| align(HEADER + frame.body.len())).sum());
        for frame in frames {
            let length = (HEADER + frame.body.len()) as u32;
            bytes.extend(length.to_ne_bytes());
            bytes.extend(frame.kind.to_ne_bytes());
            bytes.extend((frame.flags | NLM_F_REQUEST).to_ne_bytes());
            bytes.extend(self.sequence.to_ne_bytes());
            bytes.extend(0_u32.to_ne_bytes());
            bytes.extend(&frame.body);
            bytes.resize(align(bytes.len()), 0);
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.socket.send(&bytes, 0).map(drop).map_err(|e| errno(&e))
    }

    /// EPROTO when there is nothing, and reading should not wait.
    fn fill(&mut self, flags: i32) -> Result<(), Errno> {
        self.buffer.clear();
        loop {
            match self.socket.recv(&mut self.buffer, flags).map_err(|e| errno(&e)) {
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Err(Errno::EPROTO),
                other => return other.map(drop),
            }
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A message that came in.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Message<'_> {
    /// Of an acknowledgement, or of the end of a dump. What follows the number: netlink(7), struct nlmsgerr.
    fn refusal(&self) -> Option<Refusal> {
        let number = number(self.body, 0).map(u32::cast_signed)?;
        let errno = Errno::from_raw(number.checked_neg().filter(|number| *number > 0)?);
        Some(Refusal { errno, words: self.words() })
    }

    fn words(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        let start = match self.kind {
            NLMSG_DONE => 4,
            _ if self.flags & NLM_F_CAPPED != 0 => 4 + HEADER,
            _ => 4 + align(number(self.body, 4)? as usize),
        };
        let attribute =
            NlasIterator::new(self.body.get(start..)?).flatten().find(|nla| nla.kind() == ATTR_MSG)?;
        let text = attribute.value().split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(text).into_owned()).filter(|text| !text.is_empty())
    }
}

/// The messages of a datagram, up to one that is cut short.
fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = number(bytes, 0)? as usize;
        let body = bytes.get(HEADER..length)?;
        let kind_and_flags = number(bytes, 4)?.to_ne_bytes();
        let [a, b, c, d] = kind_and_flags;
        let message = Message {
            kind: u16::from_ne_bytes([a, b]),
            flags: u16::from_ne_bytes([c, d]),
            sequence: number(bytes, 8)?,
            body,
        };
        bytes = bytes.get(align(length)..).unwrap_or_default();
        Some(message)
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn align(length: usize) -> usize {
    length.next_multiple_of(usize::from(NLMSG_ALIGNTO))
}

fn errno(e: &io::Error) -> Errno {
    Errno::from_raw(e.raw_os_error().unwrap_or(EIO))
}
