//! Each verb: its options, and what it does.

pub mod add;
pub mod del;
pub mod exec;
pub mod gc;
pub mod ls;
pub mod net;
pub mod new;
