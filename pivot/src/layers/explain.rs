//! What overlayfs refused, and why: the kernel has one error number for most of it.

use super::memory::Memory;
use super::overlay::{Layout, Refusal, mount};
use super::relation::Line;
use super::{Layer, Stack, Target};
use crate::mount::{copy, copy_all};
use crate::table;
use chain::Error;
use chain::text::show;
use nix::errno::Errno as Number;
use rustix::fs::{StatVfsMountFlags, fstatvfs};
use rustix::io::Errno;
use rustix::mount::MountAttrFlags;
use std::os::fd::AsFd;

struct Reason {
    why: String,
    hint: Option<&'static str>,
}

/// The error: `what` follows the word "cannot".
pub fn explain(refusal: &Refusal, what: &str, stack: &Stack) -> Error {
    let reason = match refusal.errno {
        Errno::NODEV => Some(Reason {
            why: "this kernel has no overlay file system".into(),
            hint: Some("root may load it with `modprobe overlay`"),
        }),
        Errno::PERM => Some(Reason {
            why: "a user namespace may not mount overlays on this kernel".into(),
            hint: Some("Linux 5.11 allows it; run it as root"),
        }),
        Errno::NOENT => Some(Reason {
            why: "this kernel wants the layers by name, which needs /proc".into(),
            hint: Some("mount a /proc, or use Linux 6.15"),
        }),
        Errno::LOOP => nested(&stack.lower),
        Errno::INVAL => stack.lower.iter().find_map(bad_layer).or_else(|| bad_upper(stack)),
        _ => None,
    };
    match (reason, &refusal.log) {
        (Some(Reason { why, hint: Some(hint) }), _) => Error::new(what, why).hint(hint),
        (Some(Reason { why, hint: None }), _) => Error::new(what, why),
        (None, Some(log)) => Error::new(what, format_args!("overlayfs says: {log}")),
        (None, None) => Error::os(what, Number::from_raw(refusal.errno.raw_os_error()))
            .hint("the kernel's log may tell more: dmesg"),
    }
}

fn nested(layers: &[Layer]) -> Option<Reason> {
    let lines: Vec<_> =
        layers.iter().filter_map(|layer| Some((layer, Line::of(layer.dir.as_fd()).ok()?))).collect();
    for (at, (layer, line)) in lines.iter().enumerate() {
        for (other, its) in lines.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, pair)| pair) {
            let (layer, other) = (show(&layer.path), show(&other.path));
            if line.is(its) {
                return Some(Reason {
                    why: format!("{layer} and {other} are the same directory"),
                    hint: None,
                });
            }
            if line.is_in(its) {
                let hint = "a copy, or a directory beside it, may be a layer";
                return Some(Reason {
                    why: format!("the layer {layer} lies in the layer {other}"),
                    hint: Some(hint),
                });
            }
        }
    }
    None
}

/// Why this layer alone is refused, if it is.
fn bad_layer(layer: &Layer) -> Option<Reason> {
    let memory = Memory::make(None, None).ok()?;
    let upper = memory.upper();
    let attributes = MountAttrFlags::empty();
    let lower = vec![layer.dir.as_fd()];
    let layout =
        Layout { lower, upper: Some(upper), attributes, trusted: upper.is_trusted(), memory: Some(&memory) };
    mount(&layout).err()?;
    let name = show(&layer.path);
    let (why, hint) =
        match (copy(&layer.dir, ""), copy_all(&layer.dir, ""), table::kind_of(layer.dir.as_fd())) {
            (Err(_), Ok(_), _) => (
                format!("in {name} something is mounted, beneath which a user namespace may not look"),
                Some("use directories of it, such as `--overlay-src /usr --tmp-overlay /usr`"),
            ),
            (Err(_), Err(_), _) => (
                format!("{name} does not belong to this mount namespace"),
                Some("name it by its path: a descriptor from before belongs to another mount namespace"),
            ),
            (Ok(_), _, Some(kind)) if kind == "overlay" => (
                format!(
                    "{name} is on an overlay of overlays already, and the kernel stacks no more than two"
                ),
                None,
            ),
            (Ok(_), _, Some(kind)) => (format!("{name} is on {}, which cannot be a layer", show(kind)), None),
            (Ok(_), _, None) => (format!("{name} is on a file system that cannot be a layer"), None),
        };
    Some(Reason { why, hint })
}

fn bad_upper(stack: &Stack) -> Option<Reason> {
    let Target::Directory(kept) = &stack.target else { return None };
    let (dir, name) = (kept.upper()?.dir, show(kept.path()));
    if fstatvfs(dir).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY)) {
        return Some(Reason { why: format!("{name} is on a read-only file system"), hint: None });
    }
    let kind = table::kind_of(dir).map_or("its file system".into(), show);
    let hint = "use a directory on an ordinary file system, such as ext4, xfs, btrfs or tmpfs";
    Some(Reason { why: format!("{name} is on {kind}, which cannot keep changes"), hint: Some(hint) })
}
