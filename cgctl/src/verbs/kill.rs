//! `cgctl kill`: every process of a group, and of those inside it.

use crate::cli::Named;
use crate::hierarchy::Hierarchies;
use chain::{Error, Result, text::show};
use nix::sys::signal::Signal;

/// End every process of a group and of the groups inside it; the group stays
#[derive(clap::Args, Debug)]
pub struct Options {
    #[command(flatten)]
    group: Named,

    /// Send this signal instead of KILL, by name or number, and do not wait for what it does
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<String>,
}

/// Returns when there is none left, or when each has got its signal.
pub fn run(options: &Options) -> Result<u8> {
    let signal = options.signal.as_deref().map_or(Ok(Signal::SIGKILL), signal)?;
    let all = Hierarchies::discover()?;
    let group = options.group.find(&all)?;
    group.check_without_us("signal")?;
    match signal {
        Signal::SIGKILL => group.kill()?,
        other => group.signal(other)?,
    }
    Ok(0)
}

/// `TERM`, `SIGTERM`, `term` or `15`.
fn signal(text: &str) -> Result<Signal> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let number = text.parse::<i32>().ok().and_then(|number| Signal::try_from(number).ok());
    number.or_else(|| format!("SIG{name}").parse().ok()).ok_or_else(|| {
        Error::new(format_args!("send signal {}", show(text)), "there is no such signal")
            .hint("`kill -l` lists them")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for text in ["TERM", "SIGTERM", "term", "15"] {
            assert_eq!(signal(text), Ok(Signal::SIGTERM), "{text}");
        }
        for text in ["", "SIG", "0", "-15", "99", "TERM "] {
            assert!(signal(text).is_err(), "{text}");
        }
    }
}
