//! The messages of rtnetlink(7) that are spoken here. The enumeration of all that there are would bring the code for
//! all of them into the program: half a megabyte.

use netlink_packet_core::{DecodeError, Emitable};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::NeighbourMessage;
use netlink_packet_route::nsid::NsidMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::tc::TcMessage;
use nix::libc;

/// Makes the enumeration, and what depends on each of its rows: variant, content and `RTM_*` number.
macro_rules! messages {
    ($($variant:ident($content:ident) = $kind:ident,)*) => {
        /// A message by what it says.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Message {
            $(
                #[doc = concat!("`", stringify!($kind), "`")]
                $variant($content),
            )*
        }

        impl Message {
            /// Its number and its bytes, without the header.
            pub(super) fn emit(&self) -> (u16, Vec<u8>) {
                match self {
                    $(Message::$variant(content) => (libc::$kind, bytes(content)),)*
                }
            }
        }
    };
}

messages! {
    NewLink(LinkMessage) = RTM_NEWLINK,
    DelLink(LinkMessage) = RTM_DELLINK,
    GetLink(LinkMessage) = RTM_GETLINK,
    SetLink(LinkMessage) = RTM_SETLINK,
    NewAddress(AddressMessage) = RTM_NEWADDR,
    DelAddress(AddressMessage) = RTM_DELADDR,
    GetAddress(AddressMessage) = RTM_GETADDR,
    NewRoute(RouteMessage) = RTM_NEWROUTE,
    DelRoute(RouteMessage) = RTM_DELROUTE,
    GetRoute(RouteMessage) = RTM_GETROUTE,
    GetNeighbour(NeighbourMessage) = RTM_GETNEIGH,
    NewNsId(NsidMessage) = RTM_NEWNSID,
    GetNsId(NsidMessage) = RTM_GETNSID,
    NewQueueDiscipline(TcMessage) = RTM_NEWQDISC,
}

/// An answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its number, `RTM_*`.
    pub kind: u16,
    /// Its bytes, without the header.
    pub body: Vec<u8>,
}

/// The contents of those answers that have the number `kind`. One that cannot be read is left out: the kernel has
/// sent it, so it is of a version of the interface that nobody here knows.
pub fn contents<T>(
    answers: &[Answer],
    kind: u16,
    parse: impl Fn(&[u8]) -> Result<T, DecodeError>,
) -> impl Iterator<Item = T> {
    answers
        .iter()
        .filter(move |answer| answer.kind == kind)
        .filter_map(move |answer| parse(&answer.body).ok())
}

fn bytes(content: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; content.buffer_len()];
    content.emit(&mut bytes);
    bytes
}
