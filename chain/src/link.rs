//! The life of a link: parse the head of the line or end with 125, run, report, exit.

use crate::error::{self, Error, Result};
use crate::sys::process::has_lent_rights;
use crate::usage;
use clap::Parser;

/// Runs one tool: the body of every `main`.
///
/// `run` gives the exit status, or the error that is printed on one line. A link that becomes the
/// next program never returns from it.
pub fn run<Options: Parser>(tool: &'static str, run: fn(Options) -> Result<u8>) -> u8 {
    error::set_tool(tool);
    if has_lent_rights() {
        return lent_rights().report();
    }
    match usage::parse::<Options>() {
        Ok(Some(options)) => run(options),
        Ok(None) => Ok(0),
        Err(e) => Err(e),
    }
    .unwrap_or_else(|e| e.report())
}

/// A link runs what its caller says: lent rights would be anybody's.
fn lent_rights() -> Error {
    Error::new(
        "start",
        "a set-user-ID or set-group-ID bit, or file capabilities, give it rights that its caller has not",
    )
    .hint("take them off its file (chmod ug-s, setcap -r), and let sudo say who may run it as root")
}

/// Makes `main` of a tool from its options type and its story.
///
/// The program starts at C's `main`, past the set-up of Rust's runtime: that is half of the system
/// calls before the first useful one, and it would turn SIGPIPE into something the next program inherits.
#[macro_export]
macro_rules! main {
    ($tool:literal, $run:ident) => {
        #[cfg(test)]
        fn main() {
            $crate::link::run($tool, $run);
        }

        #[cfg(not(test))]
        #[allow(unsafe_code)]
        mod entry {
            /// Called once by the C runtime, before any other thread could exist.
            #[unsafe(no_mangle)]
            extern "C" fn main() -> std::ffi::c_int {
                $crate::link::run($tool, super::$run).into()
            }
        }
    };
}
