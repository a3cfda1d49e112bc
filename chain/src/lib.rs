//! What two or more links of the chain need, once.
//!
//! A link reads the head of its argument list, does one thing and hands the untouched tail on:
//!
//! | module | what it holds |
//! |---|---|
//! | [`link`] | the life of a link: parse or 125, run, one error line, exit status |
//! | [`error`] | the one error type: message, hint, exit status |
//! | [`exec`] | becoming the next program: PATH search, 126 and 127 |
//! | [`interpreter`] | the file that a program needs before it can start |
//! | [`gate`] | where one process waits until another has done its part
//! | [`child`] | the waiting parent: signals, job control, exit status |
//! | [`accounts`] | names, shells and delegated ids of the host |
//! | [`capabilities`] | capabilities on the way to the next program |
//! | [`shelter`] | the running program's file, out of reach of a hostile root |
//! | [`process`] | what /proc tells of a process |
//! | [`pty`] | a terminal of the command's own, relayed to the caller's |
//! | [`init`] | PID 1 that reaps, with the command as PID 2 |
//! | [`mountinfo`] | the table of mounts |
//! | [`ns`] | the table of namespaces |
//! | [`fresh`] | the mark of a mount namespace that nobody else shares |
//! | [`idmap`] | user and group id maps |
//! | [`replace`] | small files that others read, whole or not at all |
//! | [`resolver`] | how host names are resolved, handed from one link to the next |
//! | [`text`] | names made fit for a terminal |
//! | [`user`], [`within`] | users of another root, and paths inside it |
//! | [`filter`] | compiled filters of system calls, in files |
//! | [`sys`] | the system calls that need `unsafe`, behind safe functions |

pub mod accounts;
pub mod capabilities;
pub mod child;
pub mod error;
pub mod exec;
pub mod filter;
pub mod fresh;
pub mod gate;
pub mod idmap;
pub mod init;
pub mod interpreter;
pub mod link;
pub mod mountinfo;
pub mod ns;
pub mod process;
pub mod pty;
pub mod replace;
pub mod resolver;
pub mod shelter;
#[allow(unsafe_code)]
pub mod sys;
mod terminal;
pub mod text;
mod usage;
pub mod user;
pub mod within;

pub use error::{Cannot, Error, Result};
