//! One thing to ask of the kernel.

use super::message::Message;
use super::socket::{Frame, Refusal};
use chain::Result;
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};
use nix::errno::Errno;

/// A message, how it is meant, and what to say when it is refused.
#[derive(Debug)]
pub struct Request {
    what: String,
    message: Message,
    flags: u16,
    tolerated: &'static [Errno],
}

impl Request {
    /// A change or a question; `what` follows "cannot".
    pub fn new(what: impl Into<String>, message: Message) -> Self {
        Request { what: what.into(), message, flags: NLM_F_ACK, tolerated: &[] }
    }

    /// The same, to make something that must not be there yet.
    pub fn create(what: impl Into<String>, message: Message) -> Self {
        Request { flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, ..Request::new(what, message) }
    }

    /// To be told all that there is.
    pub fn dump(what: impl Into<String>, message: Message) -> Self {
        Request { flags: NLM_F_ACK | NLM_F_DUMP, ..Request::new(what, message) }
    }

    /// Takes these refusals for success: that something to be removed is not there, for one.
    #[must_use]
    pub fn tolerate(mut self, tolerated: &'static [Errno]) -> Self {
        self.tolerated = tolerated;
        self
    }

    /// The message on its way out.
    pub(super) fn frame(&self) -> Frame {
        let (kind, body) = self.message.emit();
        Frame { kind, flags: self.flags, body }
    }

    /// What came of it.
    pub(super) fn judge(&self, refusal: Option<Refusal>) -> Result<()> {
        match refusal {
            Some(refusal) if !self.tolerated.contains(&refusal.errno) => Err(refusal.of(&self.what)),
            _ => Ok(()),
        }
    }
}
