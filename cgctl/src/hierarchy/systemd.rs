//! Groups that systemd has made for its units: it undoes what others change there, unless it has delegated them.

use chain::Error;
use chain::text::show;
use rustix::fs::getxattr;
use std::path::Path;

/// Why nothing may be made or enabled in this group; `None` when it is not systemd's, or delegated
/// (<https://systemd.io/CGROUP_DELEGATION>: `Delegate=`, the attributes `invocation_id` and `delegate`).
pub fn refusal(what: impl std::fmt::Display, group: &Path) -> Option<Error> {
    if !has(group, "invocation_id") || is_delegated(group) {
        return None;
    }
    let unit = show(group.file_name().unwrap_or_default());
    let why = format!("it is {unit} of systemd, which undoes what others change there");
    let error = Error::new(what, why);
    Some(if unit.ends_with(".slice") {
        error.hint(
            "a slice cannot be delegated; take a service or scope with Delegate=yes, or another --parent",
        )
    } else {
        error.hint(format_args!("systemctl edit {unit}, with Delegate=yes in its section, and restart it"))
    })
}

/// The group is marked as one that systemd, or `cgctl delegate`, leaves to others.
pub fn is_delegated(group: &Path) -> bool {
    let mut value = [0; 4];
    ["user", "trusted"].iter().any(|space| {
        getxattr(group, format!("{space}.delegate"), &mut value[..]).is_ok_and(|length| length == 1)
            && value[0] == b'1'
    })
}

fn has(group: &Path, name: &str) -> bool {
    let mut value = [0; 64];
    ["user", "trusted"].iter().any(|space| getxattr(group, format!("{space}.{name}"), &mut value[..]).is_ok())
}
