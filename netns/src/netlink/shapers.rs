//! Interfaces that send no faster than they should: tc-tbf(8).

use super::{Message, Request};
use crate::rate::Rate;
use netlink_packet_core::DefaultNla;
use netlink_packet_route::tc::{TcAttribute, TcHandle, TcMessage, TcOption};

// TCA_TBF_* of linux/pkt_sched.h.
const PARAMETERS: u16 = 1;
const RATE64: u16 = 4;
const BURST: u16 = 6;
/// `TC_LINKLAYER_ETHERNET`.
const ETHERNET: u8 = 1;
/// How much may wait, as the part of a second that it takes to send it.
const WAITING: u64 = 20;
/// How much may go at once: what comes in between two ticks of a slow clock, and a packet of any size.
const AT_ONCE: u64 = 100;
/// In bytes.
const LEAST_AT_ONCE: u64 = 16 << 10;

/// Limits what the interface with this number sends.
pub fn limit(interface: &str, index: u32, rate: Rate) -> Request {
    let mut message = TcMessage::default();
    message.header.index = index.cast_signed();
    message.header.parent = TcHandle::ROOT;
    message.attributes.push(TcAttribute::Kind("tbf".to_owned()));
    let burst = (rate.bytes() / AT_ONCE).max(LEAST_AT_ONCE);
    let limit = burst + (rate.bytes() / WAITING).max(LEAST_AT_ONCE);
    let options = [
        (PARAMETERS, parameters(rate.bytes(), limit)),
        (RATE64, rate.bytes().to_ne_bytes().to_vec()),
        (BURST, (burst as u32).to_ne_bytes().to_vec()),
    ];
    let options = options.into_iter().map(|(kind, value)| TcOption::Other(DefaultNla::new(kind, value)));
    message.attributes.push(TcAttribute::Options(options.collect()));
    Request::create(format!("limit {interface} to {rate}"), Message::NewQueueDiscipline(message))
}

/// `struct tc_tbf_qopt`: the rate, no peak, the limit; the burst in ticks and the size of a cell are not used.
fn parameters(rate: u64, limit: u64) -> Vec<u8> {
    let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes();
    let mut bytes = vec![0, ETHERNET, 0, 0, 0, 0, 0, 0];
    bytes.extend(short(rate));
    bytes.extend([0; 12]);
    bytes.extend(short(limit));
    bytes.extend([0; 8]);
    bytes
}
