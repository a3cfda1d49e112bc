//! Interpreters for foreign programs: the kernel's admin-guide/binfmt-misc, Linux 6.7 for user namespaces.

use crate::plan::Inside;
use chain::text::show;
use chain::{Cannot, Result};
use nix::errno::Errno;
use rustix::mount::{MountFlags, mount};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const OUTSIDE: &str = "/proc/sys/fs/binfmt_misc";

/// An interpreter with the flag F is opened when it is registered: before the root changes, so that it is found
/// where the caller has it.
pub fn register_from_outside(plan: &Inside) -> Result<()> {
    if plan.root.is_none() || !plan.interpreter.as_ref().is_some_and(|text| opens_at_once(text.as_bytes())) {
        return Ok(());
    }
    mount_on(OUTSIDE.as_ref())?;
    register(plan, OUTSIDE.as_ref())
}

/// Mounts it inside and registers there what is not registered yet.
pub fn set_up(plan: &Inside) -> Result<()> {
    let Some(dir) = &plan.binfmt else { return Ok(()) };
    mount_on(dir)?;
    match &plan.interpreter {
        Some(text) if plan.root.is_none() || !opens_at_once(text.as_bytes()) => register(plan, dir),
        _ => Ok(()),
    }
}

fn mount_on(dir: &Path) -> Result<()> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("binfmt_misc", dir, "binfmt_misc", flags, None)
        .cannot_with(|| format!("mount binfmt_misc on {}", show(dir)))
        .map_err(|e| e.hint_if(Errno::EPERM, "in a user namespace it needs Linux 6.7"))
        .map_err(|e| e.hint_if(Errno::ENODEV, "this kernel has no binfmt_misc"))
}

fn register(plan: &Inside, dir: &Path) -> Result<()> {
    let Some(text) = &plan.interpreter else { return Ok(()) };
    std::fs::write(dir.join("register"), text.as_bytes())
        .cannot_with(|| format!("register the interpreter {}", show(text)))
        .map_err(|e| {
            e.hint_if(
                Errno::EINVAL,
                "it is :NAME:TYPE:OFFSET:MAGIC:MASK:INTERPRETER:FLAGS, TYPE being M or E",
            )
        })
}

/// `:name:type:offset:magic:mask:interpreter:flags`, the first character being what separates them.
fn opens_at_once(text: &[u8]) -> bool {
    let Some((separator, fields)) = text.split_first() else { return false };
    fields.split(|byte| byte == separator).nth(6).is_some_and(|flags| flags.contains(&b'F'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_f_is_the_last_field() {
        assert!(opens_at_once(b":x:M::\\x7fELF::/bin/qemu:OCF"));
        assert!(opens_at_once(b"|F|M||F|F|/F|F"));
        assert!(!opens_at_once(b":F:M::F:F:/F:"));
        assert!(!opens_at_once(b""));
    }
}
