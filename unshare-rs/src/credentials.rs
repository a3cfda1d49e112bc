//! Becoming the user that the command runs as: the last step, in the only order that works.

use crate::plan::Inside;
use chain::capabilities::hand_on;
use chain::{Cannot, Result};
use nix::errno::Errno;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use rustix::thread::set_keep_capabilities;

/// Sets groups, group, user and capabilities as the plan says. True when something has changed, which makes the
/// kernel forget the parent-death signal.
pub fn change(plan: &Inside) -> Result<bool> {
    if plan.keep_caps {
        set_keep_capabilities(true).cannot("keep capabilities")?;
    }
    if let Some(group) = plan.group {
        drop_groups()?;
        setgid(Gid::from_raw(group)).cannot_with(|| format!("become group {group}")).map_err(unmapped)?;
    }
    if let Some(user) = plan.user {
        setuid(Uid::from_raw(user)).cannot_with(|| format!("become user {user}")).map_err(unmapped)?;
    }
    if plan.keep_caps {
        hand_on()?;
    }
    Ok(plan.group.is_some() || plan.user.is_some() || plan.keep_caps)
}

/// In a namespace that has given setgroups up there is no way and no need.
fn drop_groups() -> Result<()> {
    let given_up = std::fs::read("/proc/self/setgroups").is_ok_and(|text| text.starts_with(b"deny"));
    if given_up { Ok(()) } else { setgroups(&[]).cannot("drop the supplementary groups") }
}

fn unmapped(error: chain::Error) -> chain::Error {
    error.hint_if(
        Errno::EINVAL,
        "the id has no map in this user namespace; map it with --map-users or --map-groups",
    )
}
