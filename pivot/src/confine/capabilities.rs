//! Which capabilities the command keeps, capabilities(7).

use chain::capabilities::each;
use chain::text::closest;
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities,
};
use std::ffi::OsStr;

/// What a confined command keeps: podman's defaults, which are Docker's without AUDIT_WRITE, MKNOD and NET_RAW.
pub const CONFINED: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_CHROOT);

/// What a word of the command line names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caps {
    /// Every one that the caller has.
    All,
    /// These.
    These(CapabilitySet),
}

/// A change to what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// All but these.
    Drop(Caps),
    /// These too.
    Add(Caps),
    /// These only.
    Keep(Caps),
}

/// Understands `CAP[,CAP]...` or `all`; each with or without `CAP_`, in any case.
pub fn parse(text: &OsStr) -> Result<Caps, String> {
    let text = text.to_str().ok_or("it is not a capability")?;
    if text.eq_ignore_ascii_case("all") {
        return Ok(Caps::All);
    }
    text.split(',').map(one).collect::<Result<_, _>>().map(Caps::These)
}

/// The same, or `none`.
pub fn parse_or_none(text: &OsStr) -> Result<Caps, String> {
    if text == "none" { Ok(Caps::These(CapabilitySet::empty())) } else { parse(text) }
}

fn one(text: &str) -> Result<CapabilitySet, String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    CapabilitySet::from_name(name).ok_or_else(|| {
        let all = CapabilitySet::all();
        match closest(name, all.iter_names().map(|(name, _)| name)) {
            Some(close) => format!("there is no capability {name}; did you mean {close}?"),
            None => format!("there is no capability {name}"),
        }
    })
}

/// The names of a set, in the order of their numbers; one that has no name here shows its number.
pub fn names(set: CapabilitySet) -> Vec<String> {
    let name = |one: CapabilitySet| {
        one.iter_names()
            .next()
            .map_or_else(|| one.bits().trailing_zeros().to_string(), |(name, _)| name.to_owned())
    };
    each(set).map(name).collect()
}

/// What is kept of `own`, the permitted ones of this process. Errors: to add one that this process does not have.
pub fn kept(changes: &[Change], confined: bool, own: CapabilitySet) -> Result<CapabilitySet> {
    let mut kept = if confined { own & CONFINED } else { own };
    for change in changes {
        kept = match *change {
            Change::Drop(Caps::All) => CapabilitySet::empty(),
            Change::Drop(Caps::These(these)) => kept - these,
            Change::Add(Caps::All) | Change::Keep(Caps::All) => own,
            Change::Add(Caps::These(these)) => kept | had(these, own, "leave")?,
            Change::Keep(Caps::These(these)) => had(these, own, "leave")?,
        };
    }
    Ok(kept)
}

/// Those of `these` that the kernel knows, if `own` has them all.
pub fn had(these: CapabilitySet, own: CapabilitySet, verb: &str) -> Result<CapabilitySet> {
    match each(these - own).find(|one| capability_is_in_bounding_set(*one).is_ok()) {
        None => Ok(these & own),
        Some(missing) => Err(Error::new(
            format_args!("{verb} CMD the capability {}", names(missing).concat()),
            "this process does not have it itself",
        )
        .hint(
            "root has all, as far as nothing took one away, and so has the first process of `unshare-rs -Ur`",
        )),
    }
}

/// Lets no program that is started from now on have others than `kept`.
pub fn bound(kept: CapabilitySet) -> Result<()> {
    for one in each(!kept) {
        match remove_capability_from_bounding_set(one) {
            // Past the last one that the kernel knows.
            Err(rustix::io::Errno::INVAL) => break,
            dropped => dropped
                .cannot_with(|| format!("drop the capability {}", names(one).concat()))
                .map_err(|e| {
                    e.hint_if(Errno::EPERM, "it takes CAP_SETPCAP, which whoever started this has taken away")
                })?,
        }
    }
    Ok(())
}

/// Sets what this process has; what is not inheritable is not ambient from then on.
pub fn set(permitted: CapabilitySet, inheritable: CapabilitySet) -> Result<()> {
    let sets = CapabilitySets { effective: permitted, permitted, inheritable };
    set_capabilities(None, sets).cannot("set the capabilities")
}

/// Lets the next program have these, whichever user it runs as.
pub fn make_ambient(these: CapabilitySet) -> Result<()> {
    each(these).try_for_each(|one| {
        configure_capability_in_ambient_set(one, true)
            .cannot_with(|| format!("make the capability {} ambient", names(one).concat()))
            .map_err(|e| e.hint_if(Errno::EPERM, "the securebit no-cap-ambient-raise is set"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_podmans_and_dockers() {
        let net_raw = Ok(Caps::These(CapabilitySet::NET_RAW));
        for text in ["NET_RAW", "net_raw", "CAP_NET_RAW", "cap_net_raw", "Cap_Net_Raw"] {
            assert_eq!(parse(OsStr::new(text)), net_raw, "{text}");
        }
        assert_eq!(parse(OsStr::new("ALL")), Ok(Caps::All));
        let two = CapabilitySet::NET_RAW | CapabilitySet::CHOWN;
        assert_eq!(parse(OsStr::new("chown,NET_RAW")), Ok(Caps::These(two)));
        for wrong in ["", "x", "NET-RAW", "chown,", "CAP_", "CAP_CAP_CHOWN", "chown,all", "0"] {
            assert!(parse(OsStr::new(wrong)).is_err(), "{wrong}");
        }
        let why = parse(OsStr::new("net_rwa")).unwrap_err();
        assert_eq!(why, "there is no capability NET_RWA; did you mean NET_RAW?");
    }

    #[test]
    fn changes_are_done_in_order() {
        let own = CapabilitySet::from_bits_retain((1 << 41) - 1);
        let (chown, kill) = (Caps::These(CapabilitySet::CHOWN), Caps::These(CapabilitySet::KILL));
        let rows: [(&[Change], bool, CapabilitySet); 7] = [
            (&[], true, CONFINED),
            (&[], false, own),
            (&[Change::Drop(Caps::All), Change::Add(chown)], false, CapabilitySet::CHOWN),
            (&[Change::Add(chown), Change::Drop(Caps::All)], true, CapabilitySet::empty()),
            (&[Change::Keep(chown), Change::Add(kill)], true, CapabilitySet::CHOWN | CapabilitySet::KILL),
            (&[Change::Drop(kill)], true, CONFINED - CapabilitySet::KILL),
            (&[Change::Add(Caps::All), Change::Drop(kill)], true, own - CapabilitySet::KILL),
        ];
        for (changes, confined, expected) in rows {
            assert_eq!(kept(changes, confined, own), Ok(expected), "{changes:?}");
        }
        assert_eq!(kept(&[], true, CapabilitySet::CHOWN), Ok(CapabilitySet::CHOWN));
        assert!(kept(&[Change::Add(kill)], true, CapabilitySet::CHOWN).is_err());
    }

    #[test]
    fn what_the_kernel_does_not_know_is_no_reason_to_fail() {
        let unknown = CapabilitySet::from_bits_retain(1 << 63);
        assert_eq!(had(unknown, CapabilitySet::empty(), "leave"), Ok(CapabilitySet::empty()));
        assert_eq!(names(unknown | CapabilitySet::CHOWN), ["CHOWN", "63"]);
    }
}
