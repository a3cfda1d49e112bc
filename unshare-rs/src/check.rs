//! What would go wrong, found before anything is done.

use crate::plan::Plan;
use chain::ns::Kind;
use chain::text::{check_host_name, show};
use chain::{Cannot, Error, Result};
use std::ffi::OsStr;
use std::path::Path;

/// Refuses a plan whose parts do not go together.
pub fn check(plan: &Plan) -> Result<()> {
    needs(plan, plan.before.offsets.is_some(), Kind::Time, "set a clock")?;
    needs(plan, plan.outside.setgroups.is_some(), Kind::User, "change setgroups")?;
    needs(plan, plan.inside.keep_caps, Kind::User, "keep capabilities")?;
    plan.inside.hostname.as_deref().map_or(Ok(()), check_hostname)?;
    plan.outside.files.iter().try_for_each(|(kind, file)| check_file(*kind, file))
}

fn needs(plan: &Plan, is_asked: bool, kind: Kind, what: &str) -> Result<()> {
    if !is_asked || plan.kinds.contains(&kind) {
        return Ok(());
    }
    let row = kind.row();
    Err(Error::new(what, format_args!("there is no new {} namespace", row.name))
        .hint(format_args!("add -{}", row.letter)))
}

fn check_hostname(name: &OsStr) -> Result<()> {
    check_host_name(name).map_err(|why| Error::new(format_args!("use {} as the host name", show(name)), why))
}

fn check_file(kind: Kind, file: &Path) -> Result<()> {
    let what = || format!("keep the {} namespace on {}", kind.row().name, show(file));
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(".".as_ref());
    let found = std::fs::metadata(dir).cannot_with(what)?;
    if !found.is_dir() || file.is_dir() {
        return Err(Error::new(what(), "it must be a file in an existing directory"));
    }
    Ok(())
}
