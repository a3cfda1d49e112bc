//! The command of `cgctl new`, from its line to its end.
//!
//! | module | what it holds |
//! |---|---|
//! | [`request`] | the words before `--`: a name and settings |
//! | [`job`] | the command is started, waited for and cleaned up after |
//! | [`cut`] | its end when its time is over |
//! | [`log`] | what it writes, kept in a file |
//! | [`then`] | the program that is run afterwards |
//! | [`counters`] | what the kernel counted for it |
//! | [`limits`] | what its limits did to it |
//! | [`report`], [`status`] | who is told: `--report`, `--pid-file` and `--status-file` |

pub mod counters;
pub mod cut;
pub mod job;
pub mod limits;
pub mod log;
pub mod report;
pub mod request;
pub mod status;
pub mod then;
