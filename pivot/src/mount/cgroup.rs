//! The control groups, from this process's own on: cgroup_namespaces(7). The cgroup namespace must be new.

use crate::defaults::{CGROUP, CGROUP2, CGROUPS};
use crate::mount::attach_at;
use crate::mount::filesystem::{Context, Refusal};
use crate::plan::{Mount, MountOptions};
use chain::sys::mount::{RDONLY, set_attributes};
use chain::{Cannot, Result};
use rustix::fs::{Mode, mkdirat, symlinkat};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const LIST: &str = "/proc/self/cgroup";

/// Version 2 by itself, or else an empty file system for the hierarchies, which [`finish`] fills.
pub fn make(mount: &Mount) -> Result<OwnedFd> {
    let made = match hierarchies()?[..] {
        [] => CGROUP2.make_with(&mount.options),
        _ => CGROUPS.make(),
    };
    made.map_err(|refusal| refusal.error(mount.what()))
}

/// Fills `tree`, when it is for hierarchies of version 1: each under the name of its controllers, and a link for each
/// of them where there are several. Version 2 is `unified` then. The umask must be 0.
pub fn finish(tree: BorrowedFd<'_>, mount: &Mount) -> Result<()> {
    let hierarchies = hierarchies()?;
    if hierarchies.is_empty() {
        return Ok(());
    }
    for controllers in &hierarchies {
        place(tree, controllers, mount)?;
    }
    if mount.options.attributes(RDONLY) & RDONLY != 0 {
        set_attributes(tree, RDONLY, false).cannot_with(|| mount.what())?;
    }
    Ok(())
}

fn place(tree: BorrowedFd<'_>, controllers: &str, mount: &Mount) -> Result<()> {
    let name = match controllers.strip_prefix("name=") {
        Some(name) => name,
        None if controllers.is_empty() => "unified",
        None => controllers,
    };
    let made = hierarchy(controllers, &mount.options).map_err(|refusal| refusal.error(mount.what()))?;
    mkdirat(tree, name, Mode::from(0o755))
        .and_then(|()| attach_at(made.as_fd(), tree, name))
        .and_then(|()| match controllers.contains(',') {
            true => controllers.split(',').try_for_each(|one| symlinkat(controllers, tree, one)),
            false => Ok(()),
        })
        .cannot_with(|| format!("{}/{name}", mount.what()))
}

fn hierarchy(controllers: &str, options: &MountOptions) -> Result<OwnedFd, Refusal> {
    if controllers.is_empty() {
        return CGROUP2.make_with(options);
    }
    let context = Context::open(CGROUP.kind.as_ref())?;
    for controller in controllers.split(',') {
        match controller.strip_prefix("name=") {
            Some(name) => context.set("name".as_ref(), Some(name.as_ref()))?,
            None => context.set(controller.as_ref(), None)?,
        }
    }
    context.finish(options, CGROUP.attributes.bits().into())
}

/// The controllers of each hierarchy, cgroups(7), "/proc/PID/cgroup"; none where there is only version 2.
fn hierarchies() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(LIST).cannot_with(|| format!("read {LIST}"))?;
    Ok(parse(&text))
}

fn parse(text: &str) -> Vec<String> {
    let rows: Vec<&str> = text.lines().filter_map(|line| line.split(':').nth(1)).collect();
    if rows.iter().all(|controllers| controllers.is_empty()) {
        return Vec::new();
    }
    rows.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_2_alone_has_no_hierarchies() {
        assert!(parse("0::/\n").is_empty());
        assert_eq!(
            parse("9:name=systemd:/\n1:cpu,cpuacct:/a:b\n0::/\n"),
            ["name=systemd", "cpu,cpuacct", ""]
        );
    }
}
