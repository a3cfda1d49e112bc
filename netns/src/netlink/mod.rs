//! The kernel's networking, asked and changed by netlink(7): synchronous, in batches, refusals with the kernel's words.
//!
//! | module | what it holds |
//! |---|---|
//! | [`socket`] | frames of any netlink protocol out, answers and acknowledgements in |
//! | [`route`] | a connection that speaks rtnetlink(7) in one network namespace |
//! | [`request`] | one thing to ask of it, with the words for when it is refused |
//! | [`message`] | what can be said |
//! | [`links`], [`veths`], [`bridge_ports`] | interfaces |
//! | [`addresses`], [`routes`], [`neighbours`] | what interfaces have |
//! | [`shapers`] | limits to what interfaces send |
//! | [`sockets`] | sockets that wait for what comes in |
//! | [`nsids`] | the numbers by which one network namespace knows another |

pub mod addresses;
pub mod bridge_ports;
pub mod links;
pub mod message;
pub mod neighbours;
pub mod nsids;
pub mod request;
pub mod route;
pub mod routes;
pub mod shapers;
pub mod socket;
pub mod sockets;
pub mod veths;

pub use message::{Answer, Message};
pub use request::Request;
pub use route::Route;
