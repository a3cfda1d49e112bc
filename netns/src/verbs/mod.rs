//! Each verb: its options, and what it does.

pub mod add;
pub mod addr;
pub mod attach;
pub mod bridge;
pub mod del;
pub mod doctor;
pub mod exec;
pub mod gc;
pub mod identify;
pub mod link;
pub mod list_id;
pub mod ls;
pub mod map;
pub mod monitor;
pub mod net;
pub mod new;
pub mod pcap;
pub mod pids;
pub mod route;
pub mod set;
pub mod up;
pub mod veth;
pub mod wait;
pub mod whoami;
