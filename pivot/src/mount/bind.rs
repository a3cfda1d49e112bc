//! Copies of what the old root shows: binds.

use crate::defaults::HANDED_ON;
use crate::mount::idmap;
use crate::mount::{copy, copy_all};
use crate::plan::{Look, Mount, MountOptions, Source, Step};
use chain::sys::fd::{duplicate, is_open};
use chain::sys::mount::{
    NODEV, RDONLY, SHARED, SLAVE, exchange_attributes, make_private, set_propagation, set_propagation_of_all,
};
use chain::{Cannot, Error, Result};
use nix::errno::Errno;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatxFlags, fstat, openat, readlink, statx};
use rustix::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;

/// What holds for all binds.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Device nodes have no effect unless they are asked for.
    pub nodev: bool,
    /// What is bound has ties to mounts outside that are to be cut.
    pub cut: bool,
}

impl Rules {
    /// Those that follow from how the root is shown.
    pub fn of(look: &Look) -> Self {
        Rules { nodev: look.nodev, cut: look.propagation == Some(SLAVE) }
    }
}

/// A step, with what had to be copied before this process moves to a mount namespace of its own.
#[derive(Debug)]
pub struct Early {
    /// The step.
    pub step: Step,
    /// The copy, if that is the case.
    pub tree: Option<OwnedFd>,
}

/// Copies what can only be copied in the mount namespace of the caller: what descriptors show that were opened there,
/// and mounts that are to keep their ties. Leaves out what is bound only if it exists.
pub fn take_early(steps: Vec<Step>, rules: Rules) -> Result<Vec<Early>> {
    steps.into_iter().filter_map(|step| take(step, rules).transpose()).collect()
}

fn take(step: Step, rules: Rules) -> Result<Option<Early>> {
    let Step::Mount(mount) = &step else { return Ok(Some(Early { step, tree: None })) };
    let tree = match &mount.source {
        Source::Content(fd) if !is_open(*fd) => return Err(Error::new(mount.what(), not_open(*fd))),
        Source::Descriptor(fd) => by_descriptor(*fd, mount)?,
        Source::Bind { source, optional } if keeps_ties(&mount.options) => {
            let found = by_path(source, *optional, mount)?;
            let Some(tree) = found else { return Ok(None) };
            tree
        }
        _ => return Ok(Some(Early { step, tree: None })),
    };
    dress(&tree, mount, Rules { cut: true, ..rules })?;
    Ok(Some(Early { step, tree: Some(tree) }))
}

/// The copy of a path; `None` where there is no such file and need not be.
pub fn make(source: &Path, optional: bool, mount: &Mount, rules: Rules) -> Result<Option<OwnedFd>> {
    let tree = by_path(source, optional, mount)?;
    tree.map(|tree| dress(&tree, mount, rules).map(|()| tree)).transpose()
}

fn by_path(source: &Path, optional: bool, mount: &Mount) -> Result<Option<OwnedFd>> {
    let copied = if mount.options.top_only { copy(CWD, source) } else { copy_all(CWD, source) };
    match copied {
        Err(io::Errno::NOENT) if optional => Ok(None),
        Ok(tree) => check_ties(CWD, source, mount).map(|()| Some(tree)),
        Err(e) => Err(e).cannot_with(|| mount.what()).map_err(|e| blame_variable(explain(e), source, mount)),
    }
}

fn explain(e: Error) -> Error {
    e.hint_if(Errno::EPERM, crate::namespace::NEEDS_ROOT).hint_if(
        Errno::EINVAL,
        "name it by its path: a descriptor from before belongs to another mount namespace",
    )
}

/// Nobody may know of a file that a link before has named.
fn blame_variable(e: Error, source: &Path, mount: &Mount) -> Error {
    let named = |(variable, target): &&(&str, &str)| {
        mount.target == Path::new(target) && std::env::var_os(variable).is_some_and(|file| file == source)
    };
    match HANDED_ON.iter().find(named) {
        Some((variable, _)) => e.hint(format_args!("the variable {variable} names that file")),
        None => e,
    }
}

/// What a descriptor shows can be copied where it was opened. One from another mount namespace leads to the same file
/// by its path, if that is the same here.
fn by_descriptor(fd: u32, mount: &Mount) -> Result<OwnedFd> {
    let file = duplicate(fd).map_err(|_| Error::new(mount.what(), not_open(fd)))?;
    let take = |file: &OwnedFd| if mount.options.top_only { copy(file, "") } else { copy_all(file, "") };
    let taken = match take(&file) {
        Err(io::Errno::INVAL) => same_by_path(&file).map(|file| (take(&file), file)),
        taken => Some((taken, file)),
    };
    let (tree, file) = taken.ok_or_else(|| {
        Error::new(mount.what(), "it belongs to another mount namespace, and no path leads to the same file here")
            .hint("open it behind the link that makes the namespace: unshare-rs -pm sh -c 'exec pivot --bind-fd 3:/x ROOT 3<FILE'")
    })?;
    check_ties(&file, Path::new(""), mount)?;
    tree.cannot_with(|| mount.what()).map_err(explain)
}

fn same_by_path(file: &OwnedFd) -> Option<OwnedFd> {
    let path = readlink(format!("/proc/self/fd/{}", file.as_raw_fd()), Vec::new()).ok()?;
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let found = openat(CWD, path, flags, Mode::empty()).ok()?;
    let identity = |file: &OwnedFd| fstat(file).map(|stat| (stat.st_dev, stat.st_ino)).ok();
    (identity(&found)? == identity(file)?).then_some(found)
}

fn not_open(fd: u32) -> String {
    format!("descriptor {fd} is not open")
}

/// Attributes, ties and owners.
fn dress(tree: &OwnedFd, mount: &Mount, rules: Rules) -> Result<()> {
    let options = &mount.options;
    let (recursive, tree) = (!options.top_only, tree.as_fd());
    // What is read-only outside stays so: `rw` only says that it is not made so.
    let clear = options.clear & !RDONLY;
    let set = options.set | if rules.nodev { NODEV & !clear } else { 0 };
    if set | clear != 0 {
        exchange_attributes(tree, clear, set, recursive).cannot_with(|| mount.what()).map_err(|e| {
            e.hint_if(Errno::EPERM, "what is mounted outside of a user namespace keeps its options there")
        })?;
    }
    match options.propagation {
        Some(kind) if recursive => set_propagation_of_all(tree, kind),
        Some(kind) => set_propagation(tree, kind),
        None if rules.cut => make_private(tree),
        None => Ok(()),
    }
    .cannot_with(|| mount.what())?;
    options.ids.as_ref().map_or(Ok(()), |map| idmap::apply(tree, map, recursive, &|| mount.what()))
}

fn keeps_ties(options: &MountOptions) -> bool {
    matches!(options.propagation, Some(SLAVE | SHARED))
}

/// Without ties to begin with there are none to keep.
fn check_ties(dir: impl AsFd, path: &Path, mount: &Mount) -> Result<()> {
    let fields: &[&str] = match mount.options.propagation {
        Some(SHARED) => &["shared:"],
        Some(SLAVE) => &["shared:", "master:"],
        _ => return Ok(()),
    };
    if has_field(dir, path, fields).cannot_with(|| mount.what())? {
        return Ok(());
    }
    Err(no_ties(mount.what()))
}

/// Nothing would come through.
pub fn no_ties(what: String) -> Error {
    Error::new(what, "it does not lie on a shared mount here").hint(
        "outside: mount --make-shared MOUNTPOINT; and unshare-rs, if it stands before, wants --propagation unchanged",
    )
}

/// Whether the mount that a path lies on has one of these optional fields, proc_pid_mountinfo(5).
pub fn has_field(dir: impl AsFd, path: &Path, fields: &[&str]) -> std::io::Result<bool> {
    let id = statx(dir, path, AtFlags::EMPTY_PATH, StatxFlags::MNT_ID)?.stx_mnt_id.to_string();
    let table = std::fs::read("/proc/self/mountinfo")?;
    let table = String::from_utf8_lossy(&table);
    let line = table.lines().find(|line| line.split(' ').next() == Some(&id));
    let mut optional =
        line.into_iter().flat_map(|line| line.split(' ').skip(6).take_while(|word| *word != "-"));
    Ok(optional.any(|word| fields.iter().any(|field| word.starts_with(field))))
}
