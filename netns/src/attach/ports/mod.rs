//! Published ports: elements of the maps of a network's table.
//!
//! | module | what it holds |
//! |---|---|
//! | [`entry`] | an element, put together and taken apart |
//! | [`clash`] | ports that somebody has already |
//! | [`publish`] | ports published and taken back |
//! | [`restore`] | ports kept when their table is loaded again |

mod clash;
mod entry;
mod publish;
mod restore;

pub use clash::{check, taken};
pub use publish::{forget_flows, publish, purge, purge_except};
pub use restore::Saved;
