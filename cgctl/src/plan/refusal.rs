//! Why a setting cannot be had: before anything is made, and when the kernel says no.

use crate::hierarchy::{Hierarchies, file};
use crate::plan::{INHERIT, Write, advice};
use crate::vocabulary::keys::{self, Absent, IO_WEIGHT, SWAP};
use crate::vocabulary::setting::Setting;
use crate::vocabulary::table;
use chain::Error;
use chain::text::show;
use rustix::io::Errno;

/// The error for a setting.
pub fn refused(setting: &Setting, why: impl std::fmt::Display) -> Error {
    Error::new(format_args!("set {}", show(&setting.word)), why)
}

/// The error for a key that has no file here.
pub fn absent(setting: &Setting, why: Absent, all: &Hierarchies) -> Error {
    match why {
        Absent::Controller(controller) => cannot(setting, controller, all),
        Absent::NoV2 => refused(setting, "cgroup v2 is not mounted here")
            .hint("mount -t cgroup2 cgroup2 DIRECTORY"),
        Absent::Version(why) => refused(setting, why).hint(
            "boot with cgroup_no_v1=all, or systemd.unified_cgroup_hierarchy=1, to have the controller in cgroup v2",
        ),
    }
}

/// The error for a controller that is not here.
pub fn cannot(setting: &Setting, controller: &str, all: &Hierarchies) -> Error {
    let usable = all.controllers().join(", ");
    let usable = if usable.is_empty() { "none".to_owned() } else { usable };
    let error = refused(setting, format_args!("the {} controller is not available here", show(controller)));
    match instead(controller) {
        _ if all.0.is_empty() => error.hint(advice::MOUNT),
        Some(hint) if all.unified().is_some() => error.hint(hint),
        _ if all.is_inside_another() => error.hint(advice::FROM_OUTSIDE),
        _ => error.hint(format_args!("available: {usable}")),
    }
}

/// What cgroup v2 has in place of a controller of v1, or the other way round.
fn instead(controller: &str) -> Option<&'static str> {
    let (_, hint) = [
        (
            "net_cls",
            "nft matches groups with: socket cgroupv2 level N; iptables with: -m cgroup --path GROUP",
        ),
        (
            "net_prio",
            "nft matches groups with: socket cgroupv2 level N; iptables with: -m cgroup --path GROUP",
        ),
        ("devices", "cgroup v2 has BPF programs in its place; pivot gives a container a /dev of its own"),
        ("freezer", "`cgctl freeze` stops a group of any version"),
        ("blkio", "io= limits traffic, io.weight= shares it"),
        ("cpuacct", "`cgctl stat` tells the time used"),
    ]
    .into_iter()
    .find(|(name, _)| *name == controller)?;
    Some(hint)
}

/// The error for what the kernel has said to a write.
pub fn by_kernel(errno: Errno, write: &Write) -> Error {
    let what = match &write.word {
        Some(word) => format!("set {}", show(word)),
        None => format!("set {}, which goes with {}=", write.file, keys::MEMORY),
    };
    let row = keys::of_file(&write.file).map(|(key, _)| key);
    match errno {
        Errno::NOENT => {
            let other = if write.file == table::BFQ.name { ", nor io.weight" } else { "" };
            let error = Error::new(what, format_args!("this kernel has no file {}{other}", write.file));
            match row.and_then(|key| key.needs) {
                Some(needs) => error.hint(format_args!("it needs {needs}")),
                None => error,
            }
        }
        Errno::RANGE if row.is_some_and(|key| key.name == "cpus" || key.name == "mems") => {
            Error::new(what, "this machine has no such processor or memory node")
        }
        Errno::RANGE => Error::new(what, "the value is out of range"),
        Errno::ACCESS | Errno::PERM => file::cannot(what, errno).hint(
            "the limits of a delegated group are its giver's; those of a group inside it can be set, or run as root",
        ),
        Errno::NODEV => Error::new(what, "the group is no longer there: it has been removed"),
        Errno::ROFS => file::cannot(what, errno).hint(advice::permission()),
        Errno::BUSY if row.is_some_and(|key| key.unit == crate::vocabulary::value::Unit::Byte) => {
            Error::new(what, "the group uses more than that, and cannot give it back")
        }
        errno => {
            let error = file::cannot(what, errno);
            let hint = row.map(|key| hint(key.name, write));
            hint.map_or(error.clone(), |hint| error.hint(hint))
        }
    }
}

fn hint(row: &str, write: &Write) -> String {
    match row {
        "cpu.burst" => "a burst is at most as much as cpu".to_owned(),
        keys::CPU => {
            "it is not less than cpu.burst, nor, in cgroup v1, more than a group around this one has, or less than one \
             inside it"
                .to_owned()
        }
        keys::WEIGHT => "with cpu.idle=1 a group has no weight".to_owned(),
        "cpus" | "mems" => format!("the group above has to have all of {}", show(&write.text)),
        keys::IO => "the device may be one that the kernel does not limit".to_owned(),
        IO_WEIGHT | SWAP => format!("it is {} in {}", show(&write.text), write.file),
        _ if write.text == INHERIT => format!("it is what the group above has in {}", write.file),
        _ => format!(
            "it is {} in {}; perhaps a group around this one allows less",
            show(&write.text),
            write.file
        ),
    }
}
