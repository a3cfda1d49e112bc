//! Capabilities on the way to the next program: capabilities(7).

use crate::error::{Cannot, Result};
use rustix::thread::{
    CapabilitySet, capabilities, capability_is_in_bounding_set, configure_capability_in_ambient_set,
    set_capabilities,
};

/// Each capability of a set alone.
pub fn each(set: CapabilitySet) -> impl Iterator<Item = CapabilitySet> {
    (0..u64::BITS).map(|bit| CapabilitySet::from_bits_retain(1 << bit)).filter(move |one| set.contains(*one))
}

/// The capabilities that this process and its children can ever have: the bounding set.
pub fn bounding() -> CapabilitySet {
    // EINVAL: the kernel has no such capability, nor any after it.
    let known =
        each(CapabilitySet::all()).map_while(|one| Some((one, capability_is_in_bounding_set(one).ok()?)));
    known.filter(|(_, held)| *held).fold(CapabilitySet::empty(), |set, (one, _)| set | one)
}

/// Has the next program keep what is permitted to this one, whichever user it runs as: the ambient set.
pub fn hand_on() -> Result<()> {
    let mut sets = capabilities(None).cannot("read the capabilities")?;
    sets.inheritable = sets.permitted;
    sets.effective = sets.permitted;
    set_capabilities(None, sets).cannot("make the capabilities inheritable")?;
    each(sets.permitted).try_for_each(|one| {
        configure_capability_in_ambient_set(one, true).cannot("make a capability ambient")
    })
}
