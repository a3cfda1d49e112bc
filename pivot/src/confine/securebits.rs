//! Securebits: how the kernel treats user 0 and capabilities from now on, capabilities(7).

use chain::{Cannot, Result};
use nix::errno::Errno;
use rustix::thread::{
    CapabilitiesSecureBits as Bits, capabilities_secure_bits, set_capabilities_secure_bits,
};
use std::ffi::OsStr;

/// setpriv(1)'s names, with `-` or `_`; linux/securebits.h.
const NAMES: [(&str, u32); 11] = [
    ("noroot", 0),
    ("noroot-locked", 1),
    ("no-setuid-fixup", 2),
    ("no-setuid-fixup-locked", 3),
    ("keep-caps-locked", 5),
    ("no-cap-ambient-raise", 6),
    ("no-cap-ambient-raise-locked", 7),
    ("exec-restrict-file", 8),
    ("exec-restrict-file-locked", 9),
    ("exec-deny-interactive", 10),
    ("exec-deny-interactive-locked", 11),
];

/// Bits to be set, SECBIT_* of linux/securebits.h.
pub type SecureBits = u32;

/// Understands `BIT[,BIT]...`.
pub fn parse(text: &OsStr) -> Result<SecureBits, String> {
    let text = text.to_str().ok_or("it is not a securebit")?;
    text.split(',').map(one).try_fold(0, |all, bit| Ok(all | bit?))
}

fn one(text: &str) -> Result<SecureBits, String> {
    let wanted = text.to_ascii_lowercase().replace('_', "-");
    if wanted == "keep-caps" {
        return Err("the start of a program clears keep-caps; --ambient keeps capabilities".to_owned());
    }
    let row = NAMES.iter().find(|(name, _)| *name == wanted);
    row.map(|(_, number)| 1 << number).ok_or_else(|| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        format!("{wanted} is none of {}", names.join(", "))
    })
}

/// The names of those that are set.
pub fn names(bits: SecureBits) -> Vec<&'static str> {
    NAMES.iter().filter(|(_, number)| bits >> number & 1 == 1).map(|(name, _)| *name).collect()
}

/// Sets them, besides those that are set.
pub fn set(bits: SecureBits) -> Result<()> {
    let before = capabilities_secure_bits().cannot("look at the securebits")?;
    // The kernel keeps this one to itself; it is off again when the program starts.
    let all = (before - Bits::KEEP_CAPS) | Bits::from_bits_retain(bits);
    set_capabilities_secure_bits(all)
        .cannot_with(|| format!("set the securebits {}", names(bits).join(", ")))
        .map_err(|e| {
            e.hint_if(Errno::EPERM, "it takes CAP_SETPCAP, or the caller has locked one of them")
                .hint_if(Errno::EINVAL, "this kernel does not have one of them")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_setprivs_with_either_stroke() {
        let bits = parse(OsStr::new("noroot,no_setuid_fixup,NO-CAP-AMBIENT-RAISE-LOCKED")).unwrap();
        assert_eq!(bits, 0b1000_0101);
        assert_eq!(names(bits), ["noroot", "no-setuid-fixup", "no-cap-ambient-raise-locked"]);
        for wrong in ["", "noroot,", "keep-caps", "root", "1"] {
            assert!(parse(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
